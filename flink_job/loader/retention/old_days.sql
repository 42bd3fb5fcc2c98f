-- Which days of windows are older than is kept?
SELECT DISTINCT partition_id
FROM system.parts
WHERE database = 'ctr'
  AND table = 'ctr_windows'
  AND active
  AND toUInt32(partition_id) < toYYYYMMDD(now() - {days} * 86400, 'UTC')
ORDER BY partition_id
