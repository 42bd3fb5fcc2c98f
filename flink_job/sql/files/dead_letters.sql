-- One line a message that was not counted, the bytes in base64.
CREATE TEMPORARY TABLE dead_letters (
  topic STRING,
  `partition` INT,
  `offset` BIGINT,
  reason STRING,
  payload BYTES
) WITH (
  'connector' = 'filesystem',
  'path' = '${folder}/dead_letters',
  'format' = 'json'
)
