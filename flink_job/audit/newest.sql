-- When was a row of the business last written? Events of more than seven days ago are not counted, so that no row
-- which is written now is of an older day than these; the others need not be read.
SELECT
  count(),
  toUnixTimestamp(max(inserted_at)),
  toUnixTimestamp(now())
FROM ctr.ctr_windows
WHERE window_start >= now() - 8 * 86400
  AND product_id NOT LIKE 'ctr-canary-%'
