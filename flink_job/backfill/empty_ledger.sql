-- Which rows does this month have from now on? None: ClickHouse refuses to replace a partition by nothing.
ALTER TABLE ctr.ledger DROP PARTITION ID '{partition}'
