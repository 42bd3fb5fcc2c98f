from __future__ import annotations

import pytest

from flink_job.domain import Counts, WindowKey
from loadtest import demo
from loadtest.demo import Demo, conservation, windows_of
from loadtest.machine import Machine, main

GOOD = Machine(linux=True, root=True, nspawn=True, memory_gb=12.0)
LINE = "conservation: consumed 600 = counted 529 + rejected 61 + late 10, unexplained 0"


def test_hosts_are_made_where_they_can_be() -> None:
    assert GOOD.no_hosts_because() is None


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (Machine(linux=False, root=True, nspawn=True, memory_gb=12), "Linux"),
        (Machine(linux=True, root=False, nspawn=True, memory_gb=12), "root"),
        (Machine(linux=True, root=True, nspawn=False, memory_gb=12), "systemd-nspawn"),
        (Machine(linux=True, root=True, nspawn=True, memory_gb=4.2), "4.2 GB"),
    ],
)
def test_where_hosts_cannot_be_made_a_sentence_says_why(machine: Machine, says: str) -> None:
    assert says in (machine.no_hosts_because() or "")


def test_this_machine_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Machine, "this", lambda: GOOD)
    assert (main(), capsys.readouterr().out) == (0, "")
    monkeypatch.setattr(Machine, "this", lambda: Machine(True, False, True, 12.0))  # noqa: FBT003
    assert main() == 1
    assert "needs root" in capsys.readouterr().out


@pytest.mark.parametrize(
    "printed",
    [
        LINE,
        f'    msg: "{LINE}"\nPLAY RECAP',
        f"    msg: '{LINE}'",
        f"{LINE}; 12 offsets hold no record",
    ],
)
def test_the_conservation_line_is_found_however_it_is_printed(printed: str) -> None:
    assert conservation(printed) == LINE


def test_without_a_conservation_line_nothing_is_claimed() -> None:
    assert conservation("PLAY RECAP ok=1") is None


def test_rows_are_read_whether_integers_are_numbers_or_text() -> None:
    row = {"product_id": "p", "window_start": 1_764_000_000, "impressions": "30", "clicks": 3}
    assert windows_of([row]) == {WindowKey("p", 1_764_000_000_000): Counts(30, 3)}


def test_interrupted_it_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Demo) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Machine, "this", lambda: GOOD)
    monkeypatch.setattr(Demo, "run", interrupted)
    assert demo.main() == 130
    assert "make down" in capsys.readouterr().out
