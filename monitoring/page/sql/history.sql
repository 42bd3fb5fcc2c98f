-- How often was a product seen and clicked in each step of a span of time, both in seconds?
SELECT
  intDiv(toUnixTimestamp(window_start), %(step)s) * %(step)s AS start,
  sum(impressions),
  sum(clicks)
FROM ctr.ctr_windows FINAL
WHERE product_id = %(product)s AND window_start >= toDateTime(%(first)s) AND window_start < toDateTime(%(end)s)
GROUP BY start
ORDER BY start
