-- Of which hours of a range are the windows gone?
SELECT toUnixTimestamp(hour)
FROM ctr.dropped_hours FINAL
WHERE hour >= toDateTime({start}) AND hour < toDateTime({end})
ORDER BY hour
