"""Load: realistic messages, and what it costs to count them."""
