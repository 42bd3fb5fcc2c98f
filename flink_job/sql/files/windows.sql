-- A changelog: the highest counts of a product and window are its final ones.
CREATE TEMPORARY TABLE ctr_windows (
  product_id STRING,
  window_start BIGINT,
  impressions BIGINT,
  clicks BIGINT
) WITH (
  'connector' = 'filesystem',
  'path' = '${folder}/windows',
  'format' = 'debezium-json'
)
