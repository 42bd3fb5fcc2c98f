-- How often was a product seen and clicked in ten seconds? One row a product and window.
--
-- Writing twice does no harm: the job sends a window again whenever its counts have grown, and the
-- loader sends a batch again whenever it does not know that the last one arrived. Rows with the same
-- ORDER BY key are one row, the one with the highest version; counts only grow, so that is the
-- newest, in whatever order they came. Rows are merged in the background and only in their
-- partition, which the key decides, so read with FINAL:
--
--   SELECT product_id, window_start, impressions, clicks,
--          if(impressions = 0, NULL, clicks / impressions) AS ctr
--   FROM ctr.ctr_windows FINAL
--   WHERE window_start >= now() - 60
--
-- A partition is a day, so that retention is a DROP PARTITION (flink_job/loader/retention), which
-- leaves the sums of its hours in ctr.dropped_hours. Events may be seven days old: one
-- insert usually has a day and at most eight or nine, far below the server's limit of a hundred
-- (max_partitions_per_insert_block); the loader splits what has more, as a first read of a long
-- topic can.
CREATE TABLE IF NOT EXISTS ctr.ctr_windows (
  product_id String,                          -- productId of the events, from ctr-windows
  window_start DateTime('UTC'),               -- first second of the window, from ctr-windows (there in ms)
  window_end DateTime('UTC'),                 -- first second behind it, the loader's: start + 10 s
  impressions UInt64,                         -- events, impressions and views, from ctr-windows
  clicks UInt64,                              -- events, from ctr-windows
  version UInt64,                             -- the loader's: epoch * 2^40 + impressions + clicks
  inserted_at DateTime('UTC') DEFAULT now()   -- the server's clock at the insert; no part of the result
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMMDD(window_start)
ORDER BY (product_id, window_start)
SETTINGS index_granularity = 8192
