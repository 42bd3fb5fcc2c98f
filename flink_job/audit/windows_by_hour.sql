-- How many events do the windows of each hour hold, or did before their day was dropped? A dropped day
-- that is loaded anew is there twice for a while, and counts once.
SELECT
  start,
  max(events)
FROM (
  SELECT
    toUnixTimestamp(toStartOfHour(window_start)) AS start,
    sum(impressions + clicks) AS events
  FROM ctr.ctr_windows FINAL
  GROUP BY start
  UNION ALL
  SELECT
    toUnixTimestamp(hour) AS start,
    impressions + clicks AS events
  FROM ctr.dropped_hours FINAL
)
GROUP BY start
