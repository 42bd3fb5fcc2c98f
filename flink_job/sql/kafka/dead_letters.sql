-- The messages that were not counted: the key says which, so that a repeated one is recognised, the
-- value is the message's own bytes, the headers say where it stood and why it is here.
-- The largest message there is comes back with a key and headers that it did not have: the client's own
-- limit of 1 MB is too low for it, and the topic allows as much as this.
CREATE TEMPORARY TABLE dead_letters (
  letter STRING,
  payload BYTES,
  headers MAP<STRING, BYTES> METADATA
) WITH (
  'connector' = 'kafka',
  'topic' = 'dead-letters',
  'key.format' = 'raw',
  'key.fields' = 'letter',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY',
  'properties.linger.ms' = '100',
  'properties.compression.type' = 'lz4',
  'properties.max.request.size' = '8388608',
  ${kafka_properties}
)
