"""Runs on a host of the lab: transactions from standard input to Kafka, and where each event lies.

Reads a JSON list of transactions, each whether to commit it and its messages: topic, key and value
(base64, or null for a tombstone). Prints a JSON list of partition, offset and append time in ms, of
all messages in their order. Its argument is the transactional id.
"""

import base64
import json
import sys
from pathlib import Path

from kafka import KafkaProducer

endpoints = json.loads(Path("/etc/ctr/endpoints-reader.json").read_bytes())
producer = KafkaProducer(
    bootstrap_servers=endpoints["kafka"]["bootstrap.servers"].split(","),
    acks="all",
    transactional_id=sys.argv[1],
)
producer.init_transactions()
places = []
for commit, messages in json.load(sys.stdin):
    producer.begin_transaction()
    sent = [
        producer.send(
            topic, key=key.encode(), value=None if value is None else base64.b64decode(value)
        )
        for topic, key, value in messages
    ]
    # What has not been sent when it is aborted takes no offset.
    producer.flush()
    places += [future.get(timeout=60) for future in sent]
    if commit:
        producer.commit_transaction()
    else:
        producer.abort_transaction()
producer.close()
json.dump([(place.partition, place.offset, place.timestamp) for place in places], sys.stdout)
