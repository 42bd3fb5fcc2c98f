-- A changelog: the last line of a product and window holds its final counts.
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
