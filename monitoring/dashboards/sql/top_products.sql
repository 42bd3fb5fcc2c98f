-- Which products were seen most in the last ten minutes, and how often were they clicked?
SELECT
  product_id AS product,
  sum(impressions) AS seen,
  sum(clicks) AS clicked,
  if(seen = 0, NULL, clicked / seen) AS ctr
FROM ctr.ctr_windows FINAL
WHERE window_start >= now() - 600 AND product_id NOT LIKE 'ctr-canary-%'
GROUP BY product_id
ORDER BY seen DESC, product
LIMIT 20
