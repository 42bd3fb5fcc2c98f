-- Compacted: the newest message of a product and window is the truth so far.
CREATE TEMPORARY TABLE ctr_windows (
  product_id STRING,
  window_start BIGINT,
  impressions BIGINT,
  clicks BIGINT,
  PRIMARY KEY (product_id, window_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'ctr-windows',
  'key.format' = 'json',
  'value.format' = 'json',
  'properties.linger.ms' = '5',
  'properties.compression.type' = 'lz4',
  ${kafka_properties}
)
