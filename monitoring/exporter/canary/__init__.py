"""How long does an event take to become a row? One event a second is sent and looked for.

It has a topic of its own, whose partitions' clocks nobody else is judged by, and its products are
told from those of the business by their names (`flink_job/domain/topic.py`). A product is sent once
in twelve seconds, so that a window of it holds one event at most, and its row is the event's.
"""
