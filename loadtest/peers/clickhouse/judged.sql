-- What views hang on: nothing is kept here.
CREATE TABLE peer.judged (
  topic LowCardinality(String),
  partition UInt64,
  offset UInt64,
  message Nullable(String),
  product_id String,
  click Bool,
  window_start Int64,
  outcome LowCardinality(String)
)
ENGINE = Null
