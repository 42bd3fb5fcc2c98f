-- What stands in the ledger for a range? Counted events are booked in their window's hour; all others
-- in the hour of their append time, of which not the whole range need have been read.
SELECT
  topic,
  partition,
  outcome,
  toUnixTimestamp(hour),
  events,
  first_offset,
  last_offset
FROM ctr.ledger FINAL
WHERE hour >= toDateTime({start})
  AND toUnixTimestamp(hour) < if(outcome = 'counted', {end}, {appended})
