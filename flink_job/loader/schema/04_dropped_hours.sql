-- What did the windows hold that are not kept any more? A row an hour, written before its day is dropped.
--
-- The ledger stays when windows go, so that every offset has its outcome for ever; these sums are what
-- its counted events are held against then. Writing twice does no harm: a day that was loaded anew, in
-- part, and is dropped again has a smaller sum, and the larger one stays. Read with FINAL.
CREATE TABLE IF NOT EXISTS ctr.dropped_hours (
  hour DateTime('UTC'),                       -- first second of the hour
  impressions UInt64,                         -- of all windows that began in it
  clicks UInt64,                              -- of the same
  version UInt64,                             -- epoch of the windows * 2^40 + impressions + clicks
  dropped_at DateTime('UTC') DEFAULT now()    -- the server's clock; no part of the result
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(hour)
ORDER BY hour
SETTINGS index_granularity = 8192
