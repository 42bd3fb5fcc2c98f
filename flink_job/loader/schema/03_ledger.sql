-- What became of every message? How many offsets of a partition ended in which outcome, by the hour.
--
-- Writing twice does no harm, by the same rule as in ctr_windows: rows with the same ORDER BY key are
-- one row, the one with the highest version. Read with FINAL; all offsets of a partition have an
-- outcome when this is 0 everywhere, or the number of offsets that Kafka's transactions have taken:
--
--   SELECT topic, partition, max(last_offset) - min(first_offset) + 1 - sum(events) AS unexplained
--   FROM ctr.ledger FINAL
--   GROUP BY topic, partition
--
-- A partition of the table is a month: there are few rows, at most seven a Kafka partition and hour.
-- They are kept for ever. The hours of a partition overlap in its offsets, so that no cut between them
-- would leave the sum above at 0: without the oldest rows nothing could be proved any more.
CREATE TABLE IF NOT EXISTS ctr.ledger (
  topic String,           -- the input topic, from ctr-ledger
  partition UInt32,       -- the input topic's partition, from ctr-ledger
  outcome String,         -- counted, late or the reason of the rejection, from ctr-ledger
  hour DateTime('UTC'),   -- first second of the hour, from ctr-ledger (there in ms): the window's hour
                          -- for counted, the broker's append hour for all others
  events UInt64,          -- messages, from ctr-ledger
  first_offset UInt64,    -- the lowest offset among them, from ctr-ledger
  last_offset UInt64,     -- the highest, from ctr-ledger
  version UInt64          -- the loader's: epoch * 2^40 + events
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (topic, partition, outcome, hour)
SETTINGS index_granularity = 8192
