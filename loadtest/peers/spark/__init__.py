"""PySpark Structured Streaming: SQL over micro-batches."""
