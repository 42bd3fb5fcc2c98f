"""ClickHouse: materialized views that judge and count each batch as it is inserted."""
