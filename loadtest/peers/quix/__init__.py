"""Quix Streams: dataframes of messages, windows by the framework."""
