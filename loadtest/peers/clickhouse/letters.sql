-- The messages that were not counted; one that is read twice is the same row.
CREATE TABLE peer.letters (
  topic LowCardinality(String),
  partition UInt64,
  offset UInt64,
  message Nullable(String),
  outcome LowCardinality(String),
  written DateTime64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset)
