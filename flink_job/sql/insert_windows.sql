-- How often was each product seen and clicked in each window? The counts of a window go out again
-- whenever they have grown; its state is kept far longer than any outage lasts.
INSERT INTO ctr_windows (product_id, window_start, impressions, clicks)
SELECT /*+ STATE_TTL('judged' = '${windows_ttl}') */
  product_id,
  window_start,
  COUNT(*) FILTER (WHERE NOT click) AS impressions,
  COUNT(*) FILTER (WHERE click) AS clicks
FROM judged
WHERE outcome = 'counted'
GROUP BY product_id, window_start
