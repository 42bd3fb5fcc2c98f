"""The topics that the job reads: those of the business, and the canary's.

The canary is this project's own: one event a second, sent to be seen again as a row. It has a topic
of its own, so that it moves no clock that events of the business are judged by, and products of its
own, so that numbers of the business can leave it out. Otherwise it is an input like the others.
"""

from __future__ import annotations

BUSINESS = ("impressions", "clicks")
CANARY = "canary"
INPUT = (*BUSINESS, CANARY)

# The products of the canary begin so, and no product of the business does.
CANARY_PRODUCT = "ctr-canary-"
