-- Of which hours were the windows dropped?
SELECT toUnixTimestamp(hour)
FROM ctr.dropped_hours FINAL
