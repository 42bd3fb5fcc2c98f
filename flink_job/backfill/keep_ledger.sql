-- Which rows of this month's ledger are not counted anew, and stay as they are?
INSERT INTO ctr.ledger_backfill (
  topic, partition, outcome, hour, events, first_offset, last_offset, version
)
SELECT
  topic,
  partition,
  outcome,
  hour,
  events,
  first_offset,
  last_offset,
  version
FROM ctr.ledger FINAL
WHERE toYYYYMM(hour) = {partition}
  AND NOT (
    hour >= toDateTime({start})
    AND toUnixTimestamp(hour) < if(outcome = 'counted', {end}, {appended})
  )
