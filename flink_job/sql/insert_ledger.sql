-- What became of every offset? Counted events stand in the hour of their window, so that they can
-- be held against the windows; all others in the hour that they were appended in. (MOD of a time
-- before 1970 is negative, hence twice.)
INSERT INTO ctr_ledger (topic, `partition`, outcome, `hour`, events, first_offset, last_offset)
SELECT /*+ STATE_TTL('booked' = '10d') */
  topic,
  `partition`,
  outcome,
  `hour`,
  COUNT(*) AS events,
  MIN(`offset`) AS first_offset,
  MAX(`offset`) AS last_offset
FROM (
  SELECT
    topic,
    `partition`,
    `offset`,
    outcome,
    CASE
      WHEN outcome = 'counted'
        THEN window_start - MOD(MOD(window_start, 3600000) + 3600000, 3600000)
      ELSE appended - MOD(appended, 3600000)
    END AS `hour`
  FROM judged
) AS booked
GROUP BY topic, `partition`, outcome, `hour`
