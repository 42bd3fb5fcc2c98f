-- What do the windows of the last minute hold?
SELECT
  count(),
  sum(impressions),
  sum(clicks)
FROM ctr.ctr_windows FINAL
WHERE window_start >= now() - 60
