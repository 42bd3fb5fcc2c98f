-- A changelog: the highest count of a topic, partition, outcome and hour is its final one.
CREATE TEMPORARY TABLE ctr_ledger (
  topic STRING,
  `partition` INT,
  outcome STRING,
  `hour` BIGINT,
  events BIGINT,
  first_offset BIGINT,
  last_offset BIGINT
) WITH (
  'connector' = 'filesystem',
  'path' = '${folder}/ledger',
  'format' = 'debezium-json'
)
