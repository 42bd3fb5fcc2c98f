"""Kafka's topics and consumer groups in the browser, to look at and not to change."""
