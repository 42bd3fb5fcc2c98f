-- What stands in ClickHouse of each partition's offsets?
SELECT
  topic,
  partition,
  outcome,
  toUnixTimestamp(hour),
  events,
  first_offset,
  last_offset
FROM ctr.ledger FINAL
