-- Which windows of this day are outside of the range, and stay as they are?
INSERT INTO ctr.ctr_windows_backfill (
  product_id, window_start, window_end, impressions, clicks, version, inserted_at
)
SELECT
  product_id,
  window_start,
  window_end,
  impressions,
  clicks,
  version,
  inserted_at
FROM ctr.ctr_windows FINAL
WHERE toYYYYMMDD(window_start) = {partition}
  AND NOT (window_start >= toDateTime({start}) AND window_start < toDateTime({end}))
