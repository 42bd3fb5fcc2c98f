"""A dump of messages through the job, with no hosts and no Kafka: CTR rows and a ledger."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from rich.console import Console

from flink_job.conservation import Conservation
from flink_job.domain import Outcome, first_offsets, missing_offsets
from flink_job.dump import STDIN, DumpError, open_dump, read_records
from flink_job.embedded import JobFailedError, Results, execute, read_results, write_incoming
from flink_job.java import JavaError
from flink_job.outputs import OutputError, whole_files
from flink_job.results import (
    ctr_table,
    ledger_table,
    write_dead_letter,
    write_ledger,
    write_windows,
)
from flink_job.verdict import verdict_jar

EXAMPLE = Path(__file__).with_name("example.jsonl")
JARS = Path(__file__).parents[1] / "build"
BROKEN, REFUSED = 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `python -m flink_job replay`."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a dump as `kcat -C -J` prints it, plain or gzip; - is standard input; "
        "without one, a small example",
    )
    parser.add_argument("--windows", type=Path, metavar="W.csv", help="write the windows here")
    parser.add_argument("--ledger", type=Path, metavar="L.csv", help="write the ledger here")
    parser.add_argument(
        "--dead-letters", type=Path, metavar="D.jsonl", help="write what was not counted here"
    )


def replay(arguments: argparse.Namespace) -> int:
    """Run a replay from the command line; the exit status."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # nohup has reasons
            signal.signal(ending, lambda number, _: sys.exit(128 + number))
    wanted = [arguments.windows, arguments.ledger, arguments.dead_letters]
    try:
        source = str(EXAMPLE) if arguments.file is None else arguments.file
        _refuse_clashes(source, [path for path in wanted if path is not None])
        status = _replay(source, wanted)
    except (DumpError, OutputError, JavaError) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    except JobFailedError as problem:
        sys.stderr.write(f"{problem}\n")
        return BROKEN
    if arguments.file is None:
        sys.stderr.write("No FILE was given: this is the example that comes with the project.\n")
    return status


def _refuse_clashes(source: str, outputs: list[Path]) -> None:
    read = [] if source == STDIN else [Path(source)]
    taken = [path.resolve() for path in (*read, *outputs)]
    for path, count in Counter(taken).items():
        if count > 1:
            raise OutputError(f"{path} is named twice: the dump and each output need their own.")


def _replay(source: str, wanted: list[Path | None]) -> int:
    steps = Console(stderr=True)
    with ExitStack() as stack:
        named = [path for path in wanted if path is not None]
        files = iter(stack.enter_context(whole_files(named)))
        windows, ledger, letters = (None if path is None else next(files) for path in wanted)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ctr-replay-")))
        status = stack.enter_context(steps.status("Reading the dump"))

        with open_dump(source) as lines:
            consumed = write_incoming(read_records(lines), folder)
        count = consumed.total()
        if not count:
            steps.print(f"{source} holds no messages.", soft_wrap=True, highlight=False)
        status.update(f"Starting Flink for {count:,} messages")
        execute(
            folder,
            verdict_jar(JARS),
            lambda read: status.update(f"Counting: {read:,} of {count:,} messages read"),
        )
        status.update("Reading the results")
        results = read_results(folder, consumed)
        try:
            conservation = _write(results, windows, ledger, letters)
        except OSError as problem:
            raise OutputError(f"The results cannot be written: {problem.strerror}.") from problem

    return _show(results, conservation)


def _write(
    results: Results, windows: TextIO | None, ledger: TextIO | None, letters: TextIO | None
) -> Conservation:
    if windows:
        write_windows(windows, results.windows)
    if ledger:
        write_ledger(ledger, results.ledger)
    reasons: Counter[tuple[str, int, Outcome]] = Counter()
    for place, letter in results.dead_letters():
        topic, partition, _ = place
        reasons[topic, partition, letter.reason] += 1
        if letters:
            write_dead_letter(letters, place, letter)
    counts = results.windows.values()
    return Conservation(
        consumed=results.consumed,
        ledger=results.ledger,
        in_windows=sum(count.impressions + count.clicks for count in counts),
        dead_letters=reasons,
    )


def _show(results: Results, conservation: Conservation) -> int:
    screen = Console()
    screen.print(ctr_table(results.windows), ledger_table(results.ledger))
    begun = sum(1 for offset in first_offsets(results.ledger).values() if offset)
    if begun:
        screen.print(
            f"The dump begins above offset 0 in {begun:,} partitions: their clocks begin there "
            "too, so that events near the edge that were late may count here.",
            soft_wrap=True,
            highlight=False,
        )
    gaps = sum(max(0, missing) for missing in missing_offsets(results.ledger).values())
    if gaps:
        screen.print(f"{gaps:,} offsets between the first and the last are not in the dump.")
    for problem in conservation.broken():
        screen.print(problem)
    screen.print(str(conservation), soft_wrap=True, highlight=False)
    return BROKEN if conservation.broken() else 0
