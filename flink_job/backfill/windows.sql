-- What do the windows of a range hold?
SELECT
  product_id,
  toUnixTimestamp(window_start),
  impressions,
  clicks
FROM ctr.ctr_windows FINAL
WHERE window_start >= toDateTime({start}) AND window_start < toDateTime({end})
