-- How often was each product seen and clicked in each window, in this block?
CREATE MATERIALIZED VIEW peer.count TO peer.windows AS
SELECT
  product_id,
  window_start,
  countIf(NOT click) AS impressions,
  countIf(click) AS clicks,
  now64(3) AS updated
FROM peer.judged
WHERE outcome = 'counted'
GROUP BY product_id, window_start
