-- The input topics as raw bytes, with what the broker knows of each message. The topics are set to
-- LogAppendTime, so that the record's timestamp is the broker's. Columns are of the connector's own
-- types and in its own order: rows go on as they come, with no step that would copy them.
CREATE TEMPORARY TABLE incoming (
  message BYTES,
  topic STRING NOT NULL METADATA VIRTUAL,
  `partition` INT NOT NULL METADATA VIRTUAL,
  `offset` BIGINT NOT NULL METADATA VIRTUAL,
  append_time TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'impressions;clicks;canary',
  'format' = 'raw',
  ${extent},
  'properties.group.id' = '${group}',
  'properties.isolation.level' = 'read_committed',
  ${kafka_properties}
)
