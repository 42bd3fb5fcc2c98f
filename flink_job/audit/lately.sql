-- What do the windows of the last minute hold, those of the business?
SELECT
  count(),
  sum(impressions),
  sum(clicks)
FROM ctr.ctr_windows FINAL
WHERE window_start >= now() - 60
  AND product_id NOT LIKE 'ctr-canary-%'
