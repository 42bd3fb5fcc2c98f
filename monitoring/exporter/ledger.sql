-- How did the events of some hours end, by partition? Sums over the hours; since and before are seconds
-- since the epoch. Sums of hours that do not overlap add up to those of all.
SELECT
  topic,
  partition,
  outcome,
  sum(events),
  min(first_offset),
  max(last_offset)
FROM ctr.ledger FINAL
WHERE hour >= toDateTime({since})
  AND hour < toDateTime({before})
GROUP BY
  topic,
  partition,
  outcome
