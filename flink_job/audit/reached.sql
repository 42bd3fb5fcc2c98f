-- How far has the ledger come in each partition of the input?
SELECT
  topic,
  partition,
  max(last_offset)
FROM ctr.ledger
GROUP BY
  topic,
  partition
