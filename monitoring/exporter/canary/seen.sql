-- Which canaries have become rows? Rows of their products in a span of windows, first to last in seconds
-- since the epoch; some may be of other canaries. Without FINAL, as it is enough that a row is there.
SELECT
  product_id,
  toUnixTimestamp(window_start)
FROM ctr.ctr_windows
WHERE product_id IN ({products})
  AND window_start >= toDateTime({first})
  AND window_start <= toDateTime({last})
