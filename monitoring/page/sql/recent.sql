-- What do the windows of the last two minutes hold, and when was each last written? PREWHERE reads the
-- other columns of these windows only, and may stand beside FINAL since it is of a column of the key.
SELECT
  toUnixTimestamp(window_start) AS start,
  sum(impressions),
  sum(clicks),
  toUnixTimestamp(max(inserted_at))
FROM ctr.ctr_windows FINAL
PREWHERE window_start > now() - 120 AND window_start <= now()
WHERE NOT startsWith(product_id, 'ctr-canary-')
GROUP BY start
ORDER BY start
