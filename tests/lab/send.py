"""Runs on a host of the lab: messages from standard input to Kafka, and where each came to lie.

Reads a JSON list of topic, key and value (base64, or null for a tombstone); prints a JSON list of
partition, offset and append time in ms. Its argument is the codec. All have headers, which the job
does not look at.
"""

import base64
import json
import sys
from pathlib import Path

from kafka import KafkaProducer

HEADERS = [("source", b"lab"), ("", b"\xff\x00"), ("source", b"")]

endpoints = json.loads(Path("/etc/ctr/endpoints-reader.json").read_bytes())
servers = endpoints["kafka"]["bootstrap.servers"].split(",")
producer = KafkaProducer(
    bootstrap_servers=servers, acks="all", linger_ms=20, compression_type=sys.argv[1]
)
sent = [
    producer.send(
        topic,
        key=key.encode(),
        value=None if value is None else base64.b64decode(value),
        headers=HEADERS,
    )
    for topic, key, value in json.load(sys.stdin)
]
producer.flush()
places = [future.get(timeout=60) for future in sent]
json.dump([(place.partition, place.offset, place.timestamp) for place in places], sys.stdout)
