-- A dump of messages in the order of their offsets, one JSON object a line, the bytes in base64.
CREATE TEMPORARY TABLE incoming (
  topic STRING,
  `partition` INT,
  `offset` BIGINT,
  ts BIGINT,
  message BYTES,
  append_time AS TO_TIMESTAMP_LTZ(ts, 3)
) WITH (
  'connector' = 'filesystem',
  'path' = '${folder}/incoming.json.gz',
  'format' = 'json'
)
