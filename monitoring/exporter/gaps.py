"""Offsets without an outcome, and which of them hold no record that could have one. Pure.

What has an outcome is known by sums, not offset by offset. Where they fall short for some time,
somebody who reads these offsets in Kafka tells how many hold a record; all that is known to add up
needs no reading, now or later. While events flow there is always something that was not read yet,
so that sums are held against what was read by the ledger of the moment when reading began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flink_job.audit.law import Ledger, Offsets, Partition, accounts
from flink_job.domain.ledger import first_offsets

# Looks at the ledger: rows that are under way arrive meanwhile.
STANDS_AFTER = 4


@dataclass(frozen=True, slots=True)
class Gap:
    """What a look at the ledger has told of a partition.

    Attributes:
        first: The first offset.
        end: The one behind the last that has an outcome.
        missing: Offsets between them without an outcome; below zero, some have two.
    """

    first: int
    end: int
    missing: int


@dataclass(frozen=True, slots=True)
class Read:
    """Offsets of a partition of which it is known whether they hold records.

    Attributes:
        first: The first.
        to: The one behind the last.
        recordless: How many between them hold none.
    """

    first: int
    to: int
    recordless: int = 0


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is known of all partitions.

    Attributes:
        missing: By the last look at the ledger.
        read: What is known by reading, or since all added up there.
        stands: In how many looks one after the other a partition has lacked outcomes.
        verdicts: Records without an outcome among those that were read, by the last reading to the
            end and by the one before it. Rows that were under way count in neither or in one.
    """

    missing: Mapping[Partition, Gap] = field(default_factory=dict)
    read: Mapping[Partition, Read] = field(default_factory=dict)
    stands: Mapping[Partition, int] = field(default_factory=dict)
    verdicts: Mapping[Partition, tuple[int, ...]] = field(default_factory=dict)

    def seen(self, missing: Mapping[Partition, Gap], begins_known: bool) -> Gaps:  # noqa: FBT001
        """After a look at the ledger.

        Args:
            missing: Of all partitions.
            begins_known: Whether Kafka has told where partitions begin. What is known does not
                hold for other beginnings, nor for a topic that was made anew.
        """
        read = dict(self.read)
        if begins_known:
            for place, gap in missing.items():
                known = read.get(place)
                if known is not None and (known.first != gap.first or known.to > gap.end):
                    del read[place]
        after = replace(self, missing=missing, read=read)
        short = {place for place in missing if after.left(place) > 0}
        if begins_known:
            for place, gap in missing.items():
                if after.left(place) == 0:
                    read[place] = Read(gap.first, gap.end, after.recordless.get(place, 0))
        return replace(
            after,
            stands={place: self.stands.get(place, 0) + 1 for place in short},
            verdicts={place: v for place, v in self.verdicts.items() if place in short & set(read)},
        )

    def left(self, place: Partition) -> int:
        """Offsets of a partition without an outcome, but for those known to hold no record."""
        return self.missing[place].missing - self.recordless.get(place, 0)

    @property
    def unexplained(self) -> dict[Partition, int]:
        """What is to be told of each partition."""
        return {
            place: min(self.verdicts.get(place) or (self.left(place),)) for place in self.missing
        }

    @property
    def recordless(self) -> dict[Partition, int]:
        """Offsets of each partition that are known to hold no record."""
        return {place: read.recordless for place, read in self.read.items()}

    @property
    def unread(self) -> dict[Partition, int]:
        """Offsets of each partition that have to be read."""
        return {
            place: max(0, gap.end - self.begin(place)) if self.stands.get(place) else 0
            for place, gap in self.missing.items()
        }

    @property
    def doubtful(self) -> dict[Partition, Gap]:
        """Partitions that lack outcomes for so long that somebody should read them."""
        return {
            place: self.missing[place]
            for place, looks in self.stands.items()
            if looks >= STANDS_AFTER and self.unread[place]
        }

    def begin(self, place: Partition) -> int:
        """Where reading a partition goes on."""
        known = self.read.get(place)
        return self.missing[place].first if known is None else known.to

    def learned(self, place: Partition, part: Read, asked: Gap) -> Gaps:
        """After some offsets were read, from where reading was to go on.

        Args:
            place: Their partition.
            part: Those offsets.
            asked: What the ledger told when reading began; with its last offset it is judged.
        """
        now = self.missing.get(place)
        if now is None or now.first != asked.first or part.first != self.begin(place):
            # Meanwhile it was found to add up, or to be another partition.
            return self
        known = Read(asked.first, part.to, self.recordless.get(place, 0) + part.recordless)
        after = replace(self, read={**self.read, place: known})
        if part.to < asked.end:
            return after
        verdicts = *self.verdicts.get(place, ())[-1:], asked.missing - known.recordless
        return replace(after, verdicts={**self.verdicts, place: verdicts})

    def forgotten(self) -> Gaps:
        """Without verdicts, since nobody can read: what they judged gets older than is true."""
        return replace(self, verdicts={})


def gaps(offsets: Offsets, ledger: Ledger) -> dict[Partition, Gap]:
    """Offsets of each partition below the ledger's last that have no outcome.

    What retention has removed from Kafka before the ledger came to it has none either.

    Args:
        offsets: First and end offset of each partition; of some, or none, where Kafka has not told.
        ledger: Of all partitions.
    """
    begins = first_offsets(ledger) | {place: begin for place, (begin, _) in offsets.items()}
    # What is asked for ends where it begins: an account goes on to the ledger's last by itself.
    spans = {place: (begin, begin) for place, begin in begins.items()}
    return {
        place: Gap(account.first, account.end, account.gap)
        for place, account in accounts(spans, ledger).items()
    }
