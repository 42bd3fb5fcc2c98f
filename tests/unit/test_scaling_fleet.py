"""TaskManagers are those that are wanted, held to what they may have, and as before afterwards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from loadtest.benchmark.ask import NoAnswerError
from loadtest.benchmark.cgroups import GROUP, Groups
from loadtest.benchmark.hosts import Hosts, Playbooks
from loadtest.scaling import fleet as edges
from loadtest.scaling.configuration import (
    USUAL,
    Configuration,
    ConfigurationError,
    in_order,
)
from loadtest.scaling.fleet import THIRD, Fleet, FleetError, executed, joined
from loadtest.scaling.pins import Pins
from tests.unit.scaled import LISTED, Scaled, boot, quota
from tests.unit.test_benchmark_cgroups import put
from tests.unit.test_benchmark_lab import playbooks


def test_a_configuration_is_named_as_it_is_asked_for() -> None:
    found = Configuration.parse("3x6")
    assert (found, str(found)) == (Configuration(3, 6), "3x6")
    assert found.name == "3 TaskManagers, parallelism 6"
    assert Configuration(1, 2).name == "1 TaskManager, parallelism 2"


@pytest.mark.parametrize("text", ["", "3", "0x1", "1x0", "3x6 ", "axb", "1x²", "-1x2", "1x1000"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no configuration: name TaskManagers"):
        Configuration.parse(text)


def test_more_than_there_can_be_is_refused() -> None:
    assert Configuration(3, 6).refusal(slots=2, most=3) is None
    assert "at most 3 TaskManagers" in (Configuration(4, 6).refusal(slots=2, most=3) or "")
    assert "parallelism is at most 4" in (Configuration(2, 5).refusal(slots=2, most=3) or "")


def test_the_usual_ones_take_all_slots_but_the_first_and_are_measured_from_few_to_many() -> None:
    assert all(one.parallelism == 2 * one.taskmanagers for one in USUAL[1:])
    assert {1, 2, 4} <= {one.parallelism for one in USUAL}
    assert {1, 2, 3} == {one.taskmanagers for one in USUAL}
    assert in_order([*reversed(USUAL), USUAL[0]]) == list(USUAL)


def test_a_quota_is_set_and_given_back_by_either_version(tmp_path: Path) -> None:
    boot(tmp_path / "one", "flink-tm1")
    put(tmp_path / "two/cgroup.controllers", "cpu\n")
    put(tmp_path / "two" / GROUP / "flink-tm1/cpu.max", "max 100000\n")
    for root in (tmp_path / "one", tmp_path / "two"):
        pins = Pins(Groups(root))
        assert pins.held("flink-tm1") is None
        pins.hold("flink-tm1", 0.4)
        assert pins.held("flink-tm1") == 0.4
        pins.free("flink-tm1")
        assert pins.held("flink-tm1") is None
    assert quota(tmp_path / "one", "flink-tm1").read_text() == "-1"
    assert (tmp_path / "two" / GROUP / "flink-tm1/cpu.max").read_text() == "max 100000"
    with pytest.raises(OSError, match="flink-tm9"):
        Pins(Groups(tmp_path / "one")).held("flink-tm9")


def test_one_more_is_reached_as_the_first_is() -> None:
    more = joined(Hosts(LISTED))
    assert more.members("flink_taskmanager") == ["flink-tm1", "flink-tm2", THIRD]
    assert more.command(THIRD, "true")[-2:] == ["root@10.77.0.24", "true"]
    assert "/key" in more.command(THIRD, "true")
    # What was read of the inventory is as it was.
    assert Hosts(LISTED).members("flink_taskmanager") == ["flink-tm1", "flink-tm2"]


def test_all_are_stopped_before_those_that_are_wanted_start(tmp_path: Path) -> None:
    lab = Scaled(root=tmp_path)
    fleet = lab.fleet()
    fleet.only(["flink-tm1"], fleet.own)
    assert lab.done == ["stop flink-tm1", "stop flink-tm2", "start flink-tm1"]
    assert fleet.known() == {"flink-tm1"}
    assert fleet.runs_on("job") == ["flink-tm1"]
    assert (fleet.slots, fleet.most, fleet.names(3)) == (2, 3, [*fleet.own, THIRD])


def test_one_that_does_not_start_is_waited_for_so_long_and_what_flink_knows_is_told(
    tmp_path: Path,
) -> None:
    lab = Scaled(root=tmp_path, stuck=True)
    with pytest.raises(FleetError, match=r"of flink-tm1 within 90 s, and it knows none: look at"):
        lab.fleet().only(["flink-tm1"], ["flink-tm1", "flink-tm2"])

    def silent(_: str) -> Any:  # noqa: ANN401
        raise NoAnswerError("http://flink does not answer.")

    with pytest.raises(FleetError, match=r"of none within 90 s, and http://flink does not answer:"):
        lab.fleet(silent).only(["flink-tm1"], ["flink-tm1"])


def test_a_command_that_fails_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    executed([sys.executable, "-c", ""])
    with pytest.raises(FleetError, match=r"` failed: no such unit$"):
        executed([sys.executable, "-c", "import sys; sys.exit('no such unit')"])
    with pytest.raises(FleetError, match="cannot be run"):
        executed(["/no/such/program"])
    monkeypatch.setattr(edges, "COMMAND_WITHIN_S", 0.01)
    with pytest.raises(FleetError, match=r"cannot be run: .*timed out"):
        executed([sys.executable, "-c", "import time; time.sleep(60)"])


def test_the_third_is_made_and_removed_by_its_name_alone(tmp_path: Path) -> None:
    made = playbooks(tmp_path)
    own = Playbooks(made.logs, made.inventory, made.program, folder="loadtest/scaling")
    fleet = Fleet(Hosts(LISTED), "http://flink", own)
    fleet.make_third()
    fleet.remove_third()
    first, second = (log.read_text() for log in sorted((tmp_path / "logs").iterdir()))
    named = f"loadtest/scaling/third.yml -e third_name={THIRD} -e third_address=10.77.0.24"
    assert first == f"{named}\n"
    assert second == f"{named} -e third_state=absent\n"
    # The role removes the whole lab where it is given no name.
    text = (Path(edges.__file__).parent / "third.yml").read_text()
    assert 'name: "{{ third_name | mandatory }}"' in text
