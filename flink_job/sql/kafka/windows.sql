-- Compacted, and written at least once: the highest counts of a product and window are the truth so
-- far. After a restart the job sends lower ones again before it reaches them.
-- A record may be six times as large as the event that it comes from: the product stands in its key
-- and in its value, and JSON may take 12 bytes for a character that came in 4. The client's own limit of
-- 1 MB would stop the job at a product of half that size; the topic allows as much as this.
CREATE TEMPORARY TABLE ctr_windows (
  product_id STRING,
  window_start BIGINT,
  impressions BIGINT,
  clicks BIGINT,
  PRIMARY KEY (product_id, window_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '${windows_topic}',
  'key.format' = 'json',
  'value.format' = 'json',
  'properties.linger.ms' = '5',
  'properties.compression.type' = 'lz4',
  'properties.max.request.size' = '8388608',
  ${kafka_properties}
)
