-- What became of the messages of each partition, in all and in the last day, and which offsets are
-- known?
SELECT
  topic,
  partition,
  outcome,
  sum(events),
  sumIf(events, hour > now() - 86400),
  min(first_offset),
  max(last_offset)
FROM ctr.ledger FINAL
WHERE topic != 'canary'
GROUP BY
  topic,
  partition,
  outcome
