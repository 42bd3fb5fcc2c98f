"""Fresh events, a hundred thousand a second and more: put together of parts that were made before.

A message is three texts one after the other: one with the user, one with the product, and one with
kind and time that all events of a moment share. Each of a million products costs the text of its
name, and none costs anything for each event.
"""

from __future__ import annotations

import json
import random
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypedDict

from loadtest.messages import Accident, gone_wrong
from loadtest.popularity import MOST_PRODUCTS, MOST_SKEW, drawn, draws_for

USERS = 20_000
# So many bodies are kept as a whole; where there are more, each is put together anew.
KEPT = 50_000
TOPICS = ("impressions", "clicks")
BAD = tuple(accident for accident in Accident if accident is not Accident.LATE)

# What is made and is no accident.
GOOD, DISORDERED = "good", "disordered"

# A window is late 10 s behind its end at the soonest: an event this old is never late, wherever in
# its window it stands, and yet stands behind younger ones in its partition.
DISORDER_MS = range(100, 5_001)
# An event is late for sure behind one that is this young: late ones are 40 s old and more.
YOUNG_MS = 15_000
# A message may be underway for so long, and a time in the future must still be one when it arrives.
UNDERWAY_MS = 120_000


# What stands before the product and behind it, up to the time.
Parts: TypeAlias = tuple[bytes, bytes]
# The name of a product, and all of a message up to the time.
Body: TypeAlias = tuple[bytes, bytes]


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
        products: Number of products.
        skew: Zipf's exponent of their popularity: 0 is even, and at 1 the second comes half as
            often as the first, the third a third as often.
        clicks: Share of clicks.
        bad: Share of bad messages, the five kinds alike.
        disorder: Share of events that are up to five seconds older than those before them.
        late: Share of events that are too old to be counted.
    """

    products: int = 1_000
    skew: float = 1.0
    clicks: float = 0.2
    bad: float = 0.0
    disorder: float = 0.0
    late: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            MixError: No products or too many, a skew or a share that is none, or shares above one
                together.
        """
        if not 1 <= self.products <= MOST_PRODUCTS:
            raise MixError(
                f"products is {self.products}: there must be at least one, and at most "
                f"{MOST_PRODUCTS:,}."
            )
        if not 0 <= self.skew <= MOST_SKEW:
            raise MixError(f"skew is {self.skew}: it is from 0, which is even, to {MOST_SKEW:g}.")
        for share in ("clicks", "bad", "disorder", "late"):
            value = getattr(self, share)
            if not 0 <= value <= 1:
                raise MixError(f"{share} is {value}: a share is from 0 to 1.")
        if self.bad + self.disorder + self.late > 1:
            raise MixError(
                f"bad, disorder and late are {self.bad + self.disorder + self.late:g} together: "
                "no event can be two of them, so that they must be at most 1."
            )


class _Bodies:
    """What events are but for their time, in an order that comes round again and again."""

    def __init__(self, names: Sequence[bytes], order: array[int], parts: list[Parts]) -> None:
        self._names, self._order, self._parts = names, order, parts
        self._kept = self._made(0, len(order)) if len(order) <= KEPT else None
        self._next = 0

    def take(self, count: int) -> list[Body]:
        found: list[Body] = []
        while len(found) < count:
            end = min(self._next + count - len(found), len(self._order))
            if self._kept is None:
                found += self._made(self._next, end)
            else:
                found += self._kept[self._next : end]
            self._next = end % len(self._order)
        return found

    def _made(self, first: int, end: int) -> list[Body]:
        names, parts = self._names, self._parts[first % len(self._parts) :]
        while len(parts) < end - first:
            parts += self._parts
        return [
            (name := names[number], before + name + behind)
            for number, (before, behind) in zip(self._order[first:end], parts, strict=False)
        ]


class _Share:
    """Turns a share into whole events a batch, exactly in the long run."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._owed = 0.0

    def of(self, count: int, most: int | None = None) -> int:
        self._owed += count * self._share
        # A small batch may be too small for all that is owed.
        whole = min(int(self._owed), count if most is None else most)
        self._owed -= whole
        return whole

    def back(self) -> None:
        """One could not be made now."""
        self._owed += 1


class Supply:
    """An endless supply of events of one mix.

    Attributes:
        made: How many were made so far of each topic and kind: `good`, `disordered`, or the name
            of the accident, which is that of the outcome. Whoever reads it may clear it.
    """

    def __init__(self, mix: Mix, seed: int | None = None, draws: int | None = None) -> None:
        """Make the parts.

        Args:
            mix: What the events are.
            seed: Of everything that is drawn; None for another one each time.
            draws: How many products are drawn, and then come round again and again; None for as
                many as their number needs.
        """
        self.made: Counter[tuple[str, str]] = Counter()
        self._draw = random.Random(seed)  # noqa: S311 - a seed may be wanted
        names = [b"product-%04d" % rank for rank in range(1, mix.products + 1)]
        order = drawn(mix.products, mix.skew, draws or draws_for(mix.products), self._draw)
        half = len(order) // 2
        # The topics go round the same order, a half apart.
        self._bodies = {
            "impressions": _Bodies(names, order, self._parts(len(order), b"impression", b"view")),
            "clicks": _Bodies(
                names, order[half:] + order[:half], self._parts(len(order), b"click")
            ),
        }
        self._young: dict[str, tuple[int, Message]] = {}
        self._clicks = _Share(mix.clicks)
        self._bad, self._disorder, self._late = (
            {topic: _Share(share) for topic in TOPICS}
            for share in (mix.bad, mix.disorder, mix.late)
        )

    def _parts(self, most: int, *kinds: bytes) -> list[Parts]:
        return [
            (
                b'{"userId": "u-%d", "productId": "' % self._draw.randrange(100_000),
                b'", "eventType": "%b", "timestamp": ' % kind,
            )
            for _ in range(-(-min(USERS, most) // len(kinds)))
            for kind in kinds
        ]

    def turned_into(self, mix: Mix) -> Supply:
        """A supply of another mix, which goes on counting what was made."""
        other = Supply(mix)
        other.made = self.made
        return other

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
        ending = b"%d}" % now
        batch: list[Message] = [
            {"key": name, "value": body + ending} for name, body in self._bodies[topic].take(count)
        ]
        disorder = self._disorder[topic].of(count)
        bad = self._bad[topic].of(count, count - disorder)
        late = self._late[topic].of(count, count - disorder - bad)
        places = self._draw.sample(range(count), k=disorder + late + bad)
        touched = set(places)
        self._disordered(batch, places[:disorder], now)
        made = Counter({GOOD: count - disorder, DISORDERED: disorder})
        for number, place in enumerate(places[disorder:]):
            if number >= late:
                kind = self._gone_wrong(batch[place], now)
            elif (young := self._young_before(topic, place, batch, touched, now)) is not None:
                kind = self._late_behind(young, batch[place], now)
            else:
                self._late[topic].back()
                continue
            made[kind] += 1
            made[GOOD] -= 1
        self.made.update({(topic, kind): made[kind] for kind in made})
        last = next((place for place in reversed(range(count)) if place not in touched), None)
        if last is not None:
            self._young[topic] = now, batch[last]
        return batch

    def _disordered(self, batch: list[Message], places: list[int], now: int) -> None:
        time = len(b"%d}" % now)
        for place, older in zip(
            places, self._draw.choices(DISORDER_MS, k=len(places)), strict=True
        ):
            message = batch[place]
            message["value"] = b"%b%d}" % ((message["value"] or b"")[:-time], now - older)

    def _young_before(
        self, topic: str, place: int, batch: list[Message], touched: set[int], now: int
    ) -> Message | None:
        """A young event that is in its partition before what will be at this place.

        Only behind one of the same product, and so of the same partition, is an old event late for
        sure: a partition that nothing has come to for long has an old clock.
        """
        if place and place - 1 not in touched:
            return batch[place - 1]
        made_at, young = self._young.get(topic, (0, None))
        return young if now - made_at <= YOUNG_MS else None

    def _late_behind(self, young: Message, message: Message, now: int) -> str:
        message["key"] = young["key"]
        message["value"] = gone_wrong(_event(young), now, Accident.LATE, self._draw)
        return Accident.LATE.name.lower()

    def _gone_wrong(self, message: Message, now: int) -> str:
        accident = self._draw.choice(BAD)
        arrives = now + UNDERWAY_MS if accident is Accident.FUTURE_TIMESTAMP else now
        message["value"] = gone_wrong(_event(message), arrives, accident, self._draw)
        return accident.name.lower()


def _event(message: Message) -> dict[str, object]:
    event: dict[str, object] = json.loads(message["value"] or b"")
    return event
