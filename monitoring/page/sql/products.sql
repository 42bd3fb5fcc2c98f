-- Which products have an id that begins so? As many as are shown, and one more that says there are more;
-- no order, so that the search may end as soon as they are found.
SELECT DISTINCT product_id
FROM ctr.ctr_windows
WHERE product_id LIKE %(pattern)s AND NOT startsWith(product_id, 'ctr-canary-')
LIMIT %(limit)s
