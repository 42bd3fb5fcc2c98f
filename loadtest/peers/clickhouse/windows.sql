-- Counts of each product and window, added up as parts are merged and as they are read.
CREATE TABLE peer.windows (
  product_id String,
  window_start Int64,
  impressions SimpleAggregateFunction(sum, UInt64),
  clicks SimpleAggregateFunction(sum, UInt64),
  updated SimpleAggregateFunction(max, DateTime64(3))
)
ENGINE = AggregatingMergeTree
ORDER BY (window_start, product_id)
