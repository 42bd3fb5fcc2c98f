"""The loader: what the job says on the results topics becomes rows in ClickHouse.

It reads at least once and writes idempotent rows, so that the tables are exact whatever fails.
"""
