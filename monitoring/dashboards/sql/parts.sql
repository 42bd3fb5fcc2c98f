-- How many parts does each partition have, so that inserts are not slowed down?
SELECT
  table,
  partition,
  count() AS parts,
  sum(rows) AS rows_in_parts,
  sum(bytes_on_disk) AS size
FROM system.parts
WHERE database = 'ctr' AND active
GROUP BY table, partition
ORDER BY parts DESC, table, partition DESC
LIMIT 50
