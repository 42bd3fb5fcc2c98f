-- What became of every offset? Counted events stand in the hour of their window, so that they can
-- be held against the windows; all others in the hour that they were appended in.
INSERT INTO ctr_ledger (topic, `partition`, outcome, `hour`, events, first_offset, last_offset)
SELECT /*+ STATE_TTL('judged' = '10d') */
  topic,
  `partition`,
  outcome,
  `hour`,
  COUNT(*) AS events,
  MIN(`offset`) AS first_offset,
  MAX(`offset`) AS last_offset
FROM judged
GROUP BY topic, `partition`, outcome, `hour`
