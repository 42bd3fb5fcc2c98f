-- What do the windows of the last minute hold, those of the business? The row with the highest version of
-- each window, as FINAL would have it; FINAL reads all columns of whole parts for that, and this is asked
-- every few seconds.
SELECT
  uniqExact(product_id),
  sum(seen),
  sum(clicked)
FROM (
  SELECT
    product_id,
    window_start,
    argMax(impressions, version) AS seen,
    argMax(clicks, version) AS clicked
  FROM ctr.ctr_windows
  WHERE window_start >= now() - 60
    AND product_id NOT LIKE 'ctr-canary-%'
  GROUP BY
    product_id,
    window_start
)
