-- Where do the rows lie until they take the place of the others? In a table of the same structure.
CREATE TABLE ctr.ctr_windows_backfill AS ctr.ctr_windows
