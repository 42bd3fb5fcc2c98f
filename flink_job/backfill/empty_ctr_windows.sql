-- Which rows does this day have from now on? None: ClickHouse refuses to replace a partition by nothing.
ALTER TABLE ctr.ctr_windows DROP PARTITION ID '{partition}'
