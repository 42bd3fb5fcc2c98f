-- The input topics as raw bytes, with what the broker knows of each message. The topics are set to
-- LogAppendTime, so that the record's timestamp is the broker's.
CREATE TEMPORARY TABLE incoming (
  message BYTES,
  topic STRING METADATA VIRTUAL,
  `partition` INT METADATA VIRTUAL,
  `offset` BIGINT METADATA VIRTUAL,
  append_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'impressions;clicks;canary',
  'format' = 'raw',
  ${extent},
  'properties.group.id' = '${group}',
  'properties.isolation.level' = 'read_committed',
  ${kafka_properties}
)
