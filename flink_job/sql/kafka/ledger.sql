-- Compacted, and written at least once: the highest count of a topic, partition, outcome and hour is
-- the truth so far. After a restart the job sends lower ones again before it reaches it.
CREATE TEMPORARY TABLE ctr_ledger (
  topic STRING,
  `partition` INT,
  outcome STRING,
  `hour` BIGINT,
  events BIGINT,
  first_offset BIGINT,
  last_offset BIGINT,
  PRIMARY KEY (topic, `partition`, outcome, `hour`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '${ledger_topic}',
  'key.format' = 'json',
  'value.format' = 'json',
  'properties.linger.ms' = '100',
  'properties.compression.type' = 'lz4',
  ${kafka_properties}
)
