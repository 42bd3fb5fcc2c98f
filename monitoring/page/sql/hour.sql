-- What does each window of the last hour hold, of all products together?
SELECT
  toUnixTimestamp(window_start) AS start,
  sum(impressions),
  sum(clicks)
FROM ctr.ctr_windows FINAL
PREWHERE window_start > now() - 3600 AND window_start <= now()
WHERE NOT startsWith(product_id, 'ctr-canary-')
GROUP BY start
ORDER BY start
