"""What the pipeline's own tables and topics tell, as metrics for Prometheus.

Each source (Kafka, ClickHouse, the store) is looked at by a thread of its own; a scrape renders
the last looks and asks nobody. `canary` measures how long an event takes to become a row.
"""
