-- Which days of windows are older than is kept, and at rest? A day of which something was written within
-- the last day may be coming in again, from the results topics: its sums would be of a part of it.
SELECT toYYYYMMDD(window_start) AS day
FROM ctr.ctr_windows
WHERE toYYYYMMDD(window_start) < toYYYYMMDD(now() - {days} * 86400, 'UTC')
GROUP BY day
HAVING max(inserted_at) < now() - 86400
ORDER BY day
