"""CPU and memory of all that a program has started, read out of a /proc made by hand."""

from __future__ import annotations

from pathlib import Path

from loadtest.peers.processes import PAGE, TICKS, members, use_of


def process(  # noqa: PLR0913 - all of them are what a line of stat holds
    proc: Path,
    pid: int,
    session: int,
    *,
    cpu: int = 0,
    waited: int = 0,
    pages: int = 0,
    state: str = "S",
) -> None:
    (proc / str(pid)).mkdir(parents=True)
    fields = [state, "1", str(session), str(session), *["0"] * 7]
    fields += [str(cpu), str(cpu), str(waited), str(waited), *["0"] * 6, str(pages), "0"]
    name = "a (strange) name"
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}\n", encoding="utf-8")


def test_a_session_uses_what_its_processes_and_those_that_ended_used(tmp_path: Path) -> None:
    process(tmp_path, 10, 10, cpu=TICKS, waited=2 * TICKS, pages=100)
    process(tmp_path, 11, 10, cpu=3 * TICKS, pages=50)
    process(tmp_path, 12, 12, cpu=100 * TICKS, pages=1_000)
    use = use_of(10, tmp_path)
    assert use.cpu == 2 * (1 + 2 + 3)
    assert use.memory == 150 * PAGE
    assert sorted(members(10, tmp_path)) == [10, 11]


def test_what_has_ended_meanwhile_and_what_is_no_process_is_passed_over(tmp_path: Path) -> None:
    process(tmp_path, 10, 10, cpu=TICKS)
    (tmp_path / "11").mkdir()
    (tmp_path / "meminfo").write_text("", encoding="utf-8")
    assert use_of(10, tmp_path).cpu == 2
    assert members(11, tmp_path) == []


def test_what_has_ended_and_was_not_waited_for_is_no_member(tmp_path: Path) -> None:
    process(tmp_path, 10, 10)
    process(tmp_path, 11, 10, cpu=TICKS, state="Z")
    assert members(10, tmp_path) == [10]
    assert use_of(10, tmp_path).cpu == 2
