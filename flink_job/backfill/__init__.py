"""A range of time counted anew from Kafka, where a wrong version has counted too high.

**Why a part of the topics is enough.** The recount reads each partition from the first message on
that was appended at `start` or later, which is at least 61 s before the range.

- An event of a window of the range has an append time of at least the range's begin less 60 s: one
  whose time is further ahead is rejected (rule `future_timestamp`). So none is left out.
- All that is left out was appended before `start`. A clock is at most an append time, so that the
  clock that it would have left is before `start` too, and makes no event of the range late: that
  takes a clock of the window's start + 20 s.

So the windows of the range, and the ledger's `counted` of its hours, are what the whole topics
give. Late events stand in the hour of their append time, and may be of windows long before the
range, which an earlier clock does judge: for them each partition needs an event, in front of the
range or the first in it, that brings its clock to `start` or beyond. From there on the clock is the
same. `extent` goes back until all partitions have one, or are read from their first message.

**Why it may end.** An event is late once the clock of its partition and its own append time are
20 s behind the start of its window. Behind a message that brings the clock to 10 s behind the
range's end no event of the range is counted, unless its append time is less than that. Append times
of a partition step back where another broker takes it over, by less than `STEP_BACK_MS`, which is
added.

`tests/unit/test_backfill_cut.py` holds all of it against the specification.
"""
