-- How many rows are to be in this day?
SELECT count()
FROM ctr.ctr_windows_backfill
WHERE toYYYYMMDD(window_start) = {partition}
