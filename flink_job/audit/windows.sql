-- What stands in ClickHouse for each product and window?
SELECT
  product_id,
  toUnixTimestamp(window_start),
  impressions,
  clicks
FROM ctr.ctr_windows FINAL
