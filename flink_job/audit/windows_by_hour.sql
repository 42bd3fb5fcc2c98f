-- How many events do the windows of each hour hold?
SELECT
  toUnixTimestamp(toStartOfHour(window_start)),
  sum(impressions + clicks)
FROM ctr.ctr_windows FINAL
GROUP BY toStartOfHour(window_start)
