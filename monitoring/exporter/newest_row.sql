-- When was a row last written to the windows of so many seconds, the canary's among them?
SELECT
  count(),
  toUnixTimestamp(max(inserted_at))
FROM ctr.ctr_windows
WHERE window_start >= now() - {seconds}
