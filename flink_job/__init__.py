"""Click-through rates from Kafka to ClickHouse by Flink: the contract, the job and its loader."""
