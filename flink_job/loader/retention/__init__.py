"""Windows that are older than is kept go, a day at a time, and leave the sums of their hours."""
