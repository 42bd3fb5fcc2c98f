-- Has a backfill that was cut off left its table, or has this one done with it?
DROP TABLE IF EXISTS ctr.ledger_backfill
