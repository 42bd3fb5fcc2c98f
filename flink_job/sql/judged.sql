-- The one outcome of each message. Rule 6: late is an event whose window ended 10 s ago or more
-- (5 s out of order and 5 s of allowed lateness) by the partition's clock and by its own append
-- time; 20,000 ms behind the start of a window are 10,000 ms behind its end.
CREATE TEMPORARY VIEW judged AS
SELECT
  topic,
  `partition`,
  `offset`,
  product_id,
  click,
  window_start,
  appended,
  payload,
  CASE
    WHEN rejected IS NOT NULL THEN rejected
    WHEN window_start + 20000 <= LEAST(clock, appended) THEN 'late'
    ELSE 'counted'
  END AS outcome
FROM clocked
