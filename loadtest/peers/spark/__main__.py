"""Two queries over the same topics: one counts, one writes dead letters.

A stream of Spark has one output, so that each of the two reads and parses all messages. Its
watermark is one for all partitions and drops late rows without a trace; for dead letters of them
lateness is judged by the append time alone, which is what a partition's clock is without lag.
"""

from __future__ import annotations

import sys

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

from loadtest.peers.told import Told

FIELDS = "userId STRING, productId STRING, eventType STRING, timestamp STRING, broken STRING"
# What is cut short gives the fields in front of the cut: this one says that it is.
PARSING = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "broken"}
INTEGER = "^(0|-?[1-9][0-9]{0,18})$"


def blank(column: str) -> Column:
    """Whether a field is absent or nothing but spaces."""
    return f.col(column).isNull() | (f.trim(f.col(column)) == "")


def judged(messages: DataFrame) -> DataFrame:
    """Messages with their outcome, product, kind and times in ms."""
    parsed = messages.select(
        "topic",
        "partition",
        "offset",
        "value",
        f.unix_millis("timestamp").alias("appended"),
        f.col("value").cast("string").alias("text"),
    ).withColumn(
        # An array of one object would be taken for the object.
        "event",
        f.when(f.ltrim("text").startswith("{"), f.from_json("text", FIELDS, PARSING)),
    )
    fields = parsed.select("*", "event.*").withColumn(
        "time", f.expr("try_cast(timestamp AS BIGINT)")
    )
    start = f.col("time") - f.pmod(f.col("time"), f.lit(10_000))
    outcome = (
        f.when(
            f.col("event").isNull()
            | f.col("broken").isNotNull()
            | (~blank("timestamp") & (~f.col("timestamp").rlike(INTEGER) | f.col("time").isNull())),
            "malformed",
        )
        .when(
            blank("userId") | blank("productId") | blank("eventType") | blank("timestamp"),
            "missing_field",
        )
        .when(~f.col("eventType").isin("impression", "view", "click"), "unknown_type")
        .when(f.col("time") > f.col("appended") + 60_000, "future_timestamp")
        .when(f.col("time") < f.col("appended") - 7 * 24 * 3_600_000, "old_timestamp")
        .when(start + 20_000 <= f.col("appended"), "late")
        .otherwise("counted")
    )
    return fields.withColumn("start", start).withColumn("outcome", outcome)


def main(arguments: list[str] | None = None) -> int:
    """Run until it is ended.

    Args:
        arguments: The connector's jars with commas between, and how many cores to use.
    """
    jars, cores = sys.argv[1:] if arguments is None else arguments
    told = Told.by()
    spark = (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.jars", jars)
        .config("spark.driver.memory", "1400m")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", cores)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.local.dir", str(told.state))
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("WARN")
    messages = judged(
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", told.kafka)
        .option("kafka.isolation.level", "read_committed")
        .option("subscribe", "impressions,clicks")
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", 1_000_000)
        .load()
    )
    counts = (
        messages.where("outcome = 'counted'")
        .withColumn("at", f.timestamp_millis("time"))
        .withWatermark("at", "1 minute")
        .groupBy(
            f.window("at", "10 seconds").alias("window"), f.col("productId").alias("product_id")
        )
        .agg(
            f.count_if(f.col("eventType") != "click").alias("impressions"),
            f.count_if(f.col("eventType") == "click").alias("clicks"),
        )
        .withColumn("window_start", f.unix_millis("window.start"))
    )
    key = f.struct("product_id", "window_start")
    row = f.struct("product_id", "window_start", "impressions", "clicks")
    rows = counts.select(f.to_json(key).alias("key"), f.to_json(row).alias("value"))
    place = f.concat_ws("-", "topic", "partition", "offset")
    headers = [
        f.struct(
            f.lit(name).alias("key"), f.col(column).cast("string").cast("binary").alias("value")
        )
        for name, column in (
            ("topic", "topic"),
            ("partition", "partition"),
            ("offset", "offset"),
            ("reason", "outcome"),
        )
    ]
    letters = messages.where("outcome <> 'counted'").select(
        place.alias("key"), "value", f.array(*headers).alias("headers")
    )
    for stream, topic, mode in ((rows, told.windows, "update"), (letters, told.letters, "append")):
        (
            stream.writeStream.format("kafka")
            .option("kafka.bootstrap.servers", told.kafka)
            .option("kafka.compression.type", "lz4")
            .option("topic", topic)
            .option("includeHeaders", "true")
            .option("checkpointLocation", str(told.state / topic))
            .outputMode(mode)
            .start()
        )
    spark.streams.awaitAnyTermination()
    return 0


if __name__ == "__main__":
    sys.exit(main())
