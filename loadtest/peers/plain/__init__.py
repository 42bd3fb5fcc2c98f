"""A consumer, a loop and a producer: what one writes without any framework."""
