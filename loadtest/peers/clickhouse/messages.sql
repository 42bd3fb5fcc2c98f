-- Messages as they come from Kafka; nothing is kept here, a view hangs on it.
CREATE TABLE peer.messages (
  topic LowCardinality(String),
  partition UInt32,
  offset UInt64,
  appended Int64,
  message Nullable(String)
)
ENGINE = Null
