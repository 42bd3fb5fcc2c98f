-- What became of the messages of each partition in some hours, in all and in the last day, and which
-- offsets are known? since and before are seconds since the epoch.
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
  AND hour >= toDateTime(%(since)s)
  AND hour < toDateTime(%(before)s)
GROUP BY
  topic,
  partition,
  outcome
