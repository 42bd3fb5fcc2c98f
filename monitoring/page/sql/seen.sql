-- Since when and until when was a product seen or clicked?
SELECT
  count(),
  toUnixTimestamp(min(window_start)),
  toUnixTimestamp(max(window_start))
FROM ctr.ctr_windows
WHERE product_id = %(product)s AND NOT startsWith(product_id, 'ctr-canary-')
