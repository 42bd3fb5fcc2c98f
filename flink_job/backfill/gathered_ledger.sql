-- How many rows are to be in this month?
SELECT count()
FROM ctr.ledger_backfill
WHERE toYYYYMM(hour) = {partition}
