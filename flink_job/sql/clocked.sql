-- How far has event time come in each partition? The highest `seen` up to and including this
-- message. It hangs on the partition's own past alone, so a replay finds the same clock; rejected
-- messages have no `seen` and do not move it. Arrival order within a partition is offset order.
CREATE TEMPORARY VIEW clocked AS
SELECT
  topic,
  `partition`,
  `offset`,
  rejected,
  product_id,
  click,
  window_start,
  appended,
  payload,
  MAX(seen) OVER (
    PARTITION BY topic, `partition`
    ORDER BY processed
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS clock
FROM parsed
