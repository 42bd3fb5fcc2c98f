-- Which rows does this partition have from now on? Those counted anew and those kept, at one stroke.
ALTER TABLE ctr.ctr_windows REPLACE PARTITION ID '{partition}' FROM ctr.ctr_windows_backfill
