"""Fresh events, a hundred thousand a second and more: bodies from a pool, each with a new time."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import accumulate
from typing import TypedDict

from loadtest.messages import Accident, gone_wrong

POOL = 20_000
BAD = tuple(accident for accident in Accident if accident is not Accident.LATE)

# A window is late 10 s behind its end at the soonest: an event this old is never late, wherever in
# its window it stands, and yet stands behind younger ones in its partition.
DISORDER_MS = range(100, 5_001)


class MixError(ValueError):
    """There can be no such mix; the text is a sentence for the operator."""


class Message(TypedDict):
    """A message in the form of confluent-kafka's produce_batch; value None is a tombstone."""

    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Mix:
    """What the events are; shares are of all events, 0 to 1, and no event has two of them.

    Attributes:
        products: Number of products; popular ones come far more often (Zipf's law).
        clicks: Share of clicks.
        bad: Share of bad messages, the five kinds alike.
        disorder: Share of events that are up to five seconds older than those before them.
        late: Share of events that are too old to be counted.
    """

    products: int = 1_000
    clicks: float = 0.2
    bad: float = 0.0
    disorder: float = 0.0
    late: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            MixError: No products, a share that is none, or shares above one together.
        """
        if self.products < 1:
            raise MixError(f"products is {self.products}: there must be at least one.")
        for share in fields(self)[1:]:
            value = getattr(self, share.name)
            if not 0 <= value <= 1:
                raise MixError(f"{share.name} is {value}: a share is from 0 to 1.")
        if self.bad + self.disorder + self.late > 1:
            raise MixError(
                f"bad, disorder and late are {self.bad + self.disorder + self.late:g} together: "
                "no event can be two of them, so that they must be at most 1."
            )


@dataclass(frozen=True, slots=True)
class _Body:
    """An event but for its time."""

    key: bytes
    head: bytes
    event: dict[str, object] = field(repr=False)

    def at(self, time: int) -> Message:
        return {"key": self.key, "value": b"%b%d}" % (self.head, time)}


class _Share:
    """Turns a share into whole events a batch, exactly in the long run."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._owed = 0.0

    def of(self, count: int) -> int:
        self._owed += count * self._share
        whole = int(self._owed)
        self._owed -= whole
        return whole


class Supply:
    """An endless supply of events of one mix."""

    def __init__(self, mix: Mix, seed: int | None = None, pool: int = POOL) -> None:
        """Draw the pools.

        Args:
            mix: What the events are.
            seed: Of everything that is drawn; None for another one each time.
            pool: How many bodies of a topic are drawn, and then come round again and again.
        """
        self._draw = random.Random(seed)  # noqa: S311 - a seed may be wanted
        ranks = range(1, mix.products + 1)
        popularity = list(accumulate(1 / rank for rank in ranks))
        drawn = self._draw.choices(ranks, cum_weights=popularity, k=2 * pool)
        self._pools = {
            "impressions": [self._body(rank, ("impression", "view")) for rank in drawn[:pool]],
            "clicks": [self._body(rank, ("click",)) for rank in drawn[pool:]],
        }
        self._next = dict.fromkeys(self._pools, 0)
        self._clicks = _Share(mix.clicks)
        self._bad, self._disorder, self._late = (
            {topic: _Share(share) for topic in self._pools}
            for share in (mix.bad, mix.disorder, mix.late)
        )

    def _body(self, rank: int, kinds: Sequence[str]) -> _Body:
        product = f"product-{rank:04d}"
        event: dict[str, object] = {
            "userId": f"u-{self._draw.randrange(100_000)}",
            "productId": product,
            "eventType": self._draw.choice(kinds),
        }
        head = json.dumps(event)[:-1] + ', "timestamp": '
        return _Body(product.encode(), head.encode(), event)

    def take(self, count: int, now: int) -> dict[str, list[Message]]:
        """The next events, by topic.

        Args:
            count: How many in all.
            now: When they happen, ms since the epoch.
        """
        clicks = self._clicks.of(count)
        return {
            "impressions": self._batch("impressions", count - clicks, now),
            "clicks": self._batch("clicks", clicks, now),
        }

    def _batch(self, topic: str, count: int, now: int) -> list[Message]:
        bodies = self._bodies(topic, count)
        ending = b"%d}" % now
        batch: list[Message] = [{"key": b.key, "value": b.head + ending} for b in bodies]

        bad, disorder, late = (
            share[topic].of(count) for share in (self._bad, self._disorder, self._late)
        )
        # The shares owe up to one event each, so that a small batch may be too small for all three.
        places = self._draw.sample(range(count), k=min(count, bad + disorder + late))
        for number, place in enumerate(places):
            body = bodies[place]
            if number < disorder:
                batch[place] = body.at(now - self._draw.choice(DISORDER_MS))
            else:
                late_one = number < disorder + late
                accident = Accident.LATE if late_one else self._draw.choice(BAD)
                event = {**body.event, "timestamp": now}
                value = gone_wrong(event, now, accident, self._draw)
                batch[place] = {"key": body.key, "value": value}
        return batch

    def _bodies(self, topic: str, count: int) -> list[_Body]:
        pool, first = self._pools[topic], self._next[topic]
        self._next[topic] = (first + count) % len(pool)
        bodies = pool[first : first + count]
        while len(bodies) < count:
            bodies += pool[: count - len(bodies)]
        return bodies
