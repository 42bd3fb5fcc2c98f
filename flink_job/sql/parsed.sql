-- What does each message say? One parse of its bytes: either a reason to reject it, or the product,
-- the kind and the times of its event.
--   seen          ms   event time, at most the append time: what moves the partition's clock
--   window_start  ms   start of the 10-second window that the event falls into
--   appended      ms   the broker's append time, the only "now" there is
--   payload            the bytes, where a dead letter may need them
CREATE TEMPORARY VIEW parsed AS
SELECT
  topic,
  `partition`,
  `offset`,
  processed,
  said.rejected,
  said.product_id,
  said.click,
  said.seen,
  said.window_start,
  said.appended,
  said.payload
FROM (
  SELECT topic, `partition`, `offset`, processed, verdict(message, append_time) AS said
  FROM incoming
)
