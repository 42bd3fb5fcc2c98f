-- Which products were seen most often in the last hour?
SELECT
  product_id,
  sum(impressions) AS seen,
  sum(clicks) AS clicked
FROM ctr.ctr_windows FINAL
PREWHERE window_start > now() - 3600 AND window_start <= now()
WHERE NOT startsWith(product_id, 'ctr-canary-')
GROUP BY product_id
ORDER BY
  seen DESC,
  clicked DESC,
  product_id
LIMIT 20
