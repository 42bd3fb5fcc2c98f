"""What a soak says of a fault is what was watched, and a seed gives the same faults again."""

from __future__ import annotations

from itertools import islice

from tests.lab.faults import FAULTS, sequence
from tests.lab.soak import Told, table
from tests.lab.watch import silence


def test_the_longest_silence_is_told_that_ended_after_the_fault_began() -> None:
    rises = [0.0, 9.0, 10.0, 10.5, 17.0, 17.5, 20.0]
    assert silence(rises, begin=10.2) == (10.5, 17.0)


def test_a_silence_that_began_before_the_fault_counts_whole() -> None:
    assert silence([1.0, 8.0, 8.5], begin=2.0) == (1.0, 8.0)


def test_without_a_rise_since_the_fault_nothing_is_told() -> None:
    assert silence([1.0, 2.0], begin=2.5) is None


def test_a_seed_gives_the_same_faults_and_each_round_has_all() -> None:
    one, again = (list(islice(sequence(7), 2 * len(FAULTS))) for _ in range(2))
    assert one == again
    names = sorted(fault.name for fault in FAULTS)
    assert sorted(fault.name for fault in one[: len(FAULTS)]) == names
    assert sorted(fault.name for fault in one[len(FAULTS) :]) == names


def test_the_table_has_median_and_worst_of_each_fault() -> None:
    told = [Told("killed", "a", 0.1, silent, silent - 1) for silent in (2.0, 3.0, 7.0)]
    assert table(told).splitlines()[-1] == "| killed | 3 | 3.0, 7.0 | 2.0, 6.0 |"
