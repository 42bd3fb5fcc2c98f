-- What do the windows of this day hold, hour by hour? It stays when they go.
INSERT INTO ctr.dropped_hours (hour, impressions, clicks, version)
SELECT
  toStartOfHour(window_start),
  sum(impressions),
  sum(clicks),
  intDiv(max(version), 1099511627776) * 1099511627776 + sum(impressions + clicks)
FROM ctr.ctr_windows FINAL
WHERE toYYYYMMDD(window_start) = {day}
GROUP BY toStartOfHour(window_start)
