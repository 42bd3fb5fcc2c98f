-- Where do the rows lie until they take the place of the others? In a table of the same structure.
CREATE TABLE ctr.ledger_backfill AS ctr.ledger
