-- Which rows does this partition have from now on? Those counted anew and those kept, at one stroke.
ALTER TABLE ctr.ledger REPLACE PARTITION ID '{partition}' FROM ctr.ledger_backfill
