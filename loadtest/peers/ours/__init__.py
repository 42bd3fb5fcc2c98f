"""The job itself, on a Flink inside one process, with Kafka at both ends."""
