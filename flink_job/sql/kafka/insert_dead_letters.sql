-- Which messages were not counted, and why? Each with the bytes that it came with.
INSERT INTO dead_letters (letter, payload, headers)
SELECT
  CONCAT_WS('-', topic, CAST(`partition` AS STRING), CAST(`offset` AS STRING)),
  payload,
  MAP[
    'topic', CAST(topic AS BYTES),
    'partition', CAST(CAST(`partition` AS STRING) AS BYTES),
    'offset', CAST(CAST(`offset` AS STRING) AS BYTES),
    'reason', CAST(outcome AS BYTES)
  ]
FROM judged
WHERE outcome <> 'counted'
