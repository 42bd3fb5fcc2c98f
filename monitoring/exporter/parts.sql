-- How many active parts has the partition of each table that has the most? ClickHouse slows inserts down, and
-- then refuses them, by this number. All of it is in the server's memory.
SELECT
  table,
  max(parts)
FROM (
  SELECT
    table,
    partition,
    count() AS parts
  FROM system.parts
  WHERE database = 'ctr'
    AND active
  GROUP BY
    table,
    partition
)
GROUP BY table
