-- Which windows go? All of this day, whose sums are kept by now.
ALTER TABLE ctr.ctr_windows DROP PARTITION ID '{day}'
