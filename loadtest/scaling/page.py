"""docs/scaling.md, out of what was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import Template

from loadtest.benchmark.page import table
from loadtest.benchmark.result import Run
from loadtest.scaling.charts import SHOWS
from loadtest.scaling.costs import UnknownError, costs_of
from loadtest.scaling.found import Found, Measured, Simulated
from loadtest.scaling.model import Costs, Demand, Host, Installed, Limit, Need, limits, need

NONE = "-"
HELD, MISSED, UNMEASURED = "held", "**missed**", "not measured"
# Two drains of the same differ by as much.
NOISE = 0.1
HOST, INSTALLED = Host(), Installed()
MANY = 1_000_000
EVENT_BYTES, LARGE_BYTES = 100, 10_000
DEMANDS = (
    Demand(1e6, event_bytes=EVENT_BYTES),
    Demand(1e6, MANY, EVENT_BYTES),
    Demand(1e6, MANY, LARGE_BYTES),
    Demand(1e7, event_bytes=EVENT_BYTES),
    Demand(1e7, MANY, EVENT_BYTES),
)
SHOWN = {
    "kafka": "of Kafka",
    "flink-jobmanager": "of the JobManager",
    "clickhouse-server": "of ClickHouse",
    "ctr-loader": "of the loader",
}
MS, GB, TB = 1_000, 1e9, 1e12

MADE = (
    "`make scaling` has made this page, its picture and scaling.json. Machines differ and are "
    "noisy, so read the ratios.\n"
)
GROWS = (
    f"The cost of an event must not grow by more than the {NOISE:.0%} that two drains of the same "
    "may differ by:\n"
)
HOW = Template(Path(__file__).with_name("how.md").read_text(encoding="utf-8"))


def page(found: Found, runs: Sequence[Run], picture: str | None) -> str:
    """The page.

    Args:
        found: What is told; what of it is missing is told as well.
        runs: Of the benchmark, the newest last.
        picture: Its path from the page; None where there is none.
    """
    parts = [
        "# Scale-out\n",
        MADE,
        _failures(found),
        *(_measured(found) if found.measured else ["Nothing was measured on a lab yet.\n"]),
        *([f"![{SHOWS}]({picture})\n"] if picture else []),
        *(_simulated(list(found.simulated.values())) if found.simulated else []),
        _model(found, runs),
    ]
    return "\n".join(part for part in parts if part)


def verdicts(measured: Sequence[Measured]) -> list[tuple[str, str, str]]:
    """Of each configuration but the first what an event costs against it, and whether it grew."""
    first, *others = measured
    least = first.drain.cost.us_taskmanager
    told = []
    for one in others:
        if not least:
            told.append((_against(one, first), "-", UNMEASURED))
            continue
        grown = one.drain.cost.us_taskmanager / least - 1
        told.append(
            (
                _against(one, first),
                f"{grown:+.0%}",
                HELD if grown <= NOISE else MISSED,
            )
        )
    return told


def _against(one: Measured, first: Measured) -> str:
    return f"{one.configuration.name}, against {first.configuration.name}"


def _failures(found: Found) -> str:
    problems = list(found.failures.items())
    problems += [
        (one.configuration.name, why) for one in found.in_order for why in one.drain.problems
    ]
    if not problems:
        return ""
    return "## What went wrong\n\n" + "".join(f"- {part}: {why}\n" for part, why in problems)


def _measured(found: Found) -> list[str]:
    measured = found.in_order
    heads = ("", *(one.configuration.name for one in measured))
    rows: tuple[tuple[str, Callable[[Measured], str]], ...] = (
        ("measured (UTC)", lambda one: one.began),
        ("commit", lambda one: one.commit),
        ("cores of each TaskManager's host", lambda one: f"{one.cores:g}"),
        ("ran on", lambda one: ", ".join(one.ran_on) or NONE),
        ("events of the backlog", lambda one: f"{one.drain.events:,}"),
        ("events counted a second", lambda one: f"{one.drain.events_per_s:,.0f}"),
        ("CPU of TaskManagers, us an event", lambda one: f"{one.drain.cost.us_taskmanager:.2f}"),
        *((said, lambda one, name=name: f"{one.us(name):.2f}") for name, said in SHOWN.items()),
        ("of the whole lab", lambda one: f"{one.drain.cost.us:.2f}"),
        ("TaskManagers used, of what they may have", lambda one: f"{one.used:.0%}"),
        ("the machine used, cores", lambda one: f"{one.drain.cost.machine:.2f}"),
        (
            "unexplained events afterwards",
            lambda one: str(one.drain.law.unexplained) if one.drain.law else NONE,
        ),
    )
    about = found.about
    machine = (
        f"A backlog counted, of {found.load}, on one machine with everything on it "
        f"({about.processor}, {about.cores} cores, {about.memory_gb} GB; {about.system}, Linux "
        f"{about.kernel}); figures are of the second half of each backlog.\n"
        if about
        else ""
    )
    told = [
        "## Measured\n",
        machine,
        table(heads, [(name, *(cell(one) for one in measured)) for name, cell in rows]),
    ]
    if found_verdicts := verdicts(measured):
        told += [
            GROWS,
            table(("", "CPU of TaskManagers an event", ""), found_verdicts),
            _speed(measured),
        ]
    return told


def _speed(measured: Sequence[Measured]) -> str:
    """How events a second grew with what TaskManagers may have, and why not more."""
    first, last = measured[0], max(measured, key=lambda one: one.taskmanagers)
    if last.taskmanagers == first.taskmanagers:
        return ""
    allowed = last.taskmanagers * last.cores / (first.taskmanagers * first.cores)
    grown = last.drain.events_per_s / first.drain.events_per_s
    return (
        f"With {allowed:.1f} times the processor time for TaskManagers the job counted "
        f"{grown:.1f} times the events a second ({first.configuration.name} to "
        f"{last.configuration.name}). They used {last.used:.0%} of what they may have then, and "
        f"the machine {last.drain.cost.machine:.1f} cores.\n"
    )


def _simulated(simulated: Sequence[Simulated]) -> list[str]:
    heads = ("", *(one.name for one in simulated))
    rows: tuple[tuple[str, Callable[[Simulated], str]], ...] = (
        ("measured (UTC)", lambda one: one.began),
        ("commit", lambda one: one.commit),
        ("events", lambda one: f"{one.events:,}"),
        ("bytes of an event", lambda one: f"{one.megabytes * 1e6 / one.events:,.0f}"),
        ("events a second", lambda one: f"{one.events / one.seconds:,.0f}"),
        ("MB a second", lambda one: f"{one.megabytes / one.seconds:,.0f}"),
        ("CPU, us an event", lambda one: f"{one.us:,.2f}"),
        ("rows of windows", lambda one: f"{one.keys:,}"),
        ("unexplained events", lambda one: str(one.unexplained)),
    )
    return [
        "## Simulated\n",
        "The same job embedded in one process, parallelism 1, warm from 300,000 events before.\n",
        table(heads, [(name, *(cell(one) for one in simulated)) for name, cell in rows]),
    ]


def _model(found: Found, runs: Sequence[Run]) -> str:
    try:
        costs, run = costs_of(found, runs)
    except UnknownError as problem:
        return f"## How many hosts\n\nNot told, as {problem}\n"
    few, many = Demand(1e6, event_bytes=EVENT_BYTES), Demand(1e6, MANY, EVENT_BYTES)
    breaks_few, breaks_many = (limits(costs, one, HOST, INSTALLED) for one in (few, many))
    first = breaks_few[0]
    rates = sorted(step.rate for step in run.steps if step.rows_per_s)
    pinned = sorted({one.cores for one in found.measured.values()})
    return HOW.substitute(
        slot_us=f"{costs.slot_us:.2f}",
        broker_us=f"{costs.broker_us:.2f}",
        loader_us=f"{costs.loader_us:,.1f}",
        row_us=f"{costs.row_us:,.1f}",
        insert_ms=f"{costs.insert_us / MS:,.1f}",
        jobmanager_cores=f"{costs.jobmanager_cores:.2f}",
        rows_seen=f"{costs.rows_seen:.2f}",
        benchmark=run.began,
        benchmark_commit=run.commit,
        low=f"{rates[0]:,}",
        high=f"{rates[-1]:,}",
        cores=HOST.cores,
        disk=f"{HOST.disk / TB:g}",
        event_bytes=EVENT_BYTES,
        pinned=" or ".join(f"{one:g}" for one in pinned),
        needs=_needs(costs),
        keys_few=_large(need(costs, few, HOST).keys_kept),
        keys_many=_large(need(costs, many, HOST).keys_kept),
        breaks_few=_breaks(breaks_few),
        breaks_many=_breaks(breaks_many),
        first=f"{first.part}, at {first.events_per_s:,.0f} events/s",
        first_then=first.then,
    )


def _needs(costs: Costs) -> str:
    needs = [need(costs, one, HOST) for one in DEMANDS]
    heads = ("", *(_demand(one) for one in DEMANDS))
    rows: Iterable[tuple[str, Callable[[Need], str]]] = (
        ("TaskManagers, hosts", lambda one: f"{one.taskmanagers:,}"),
        ("of which slots, `ctr_job_parallelism`", lambda one: f"{one.slots:,}"),
        ("partitions a topic, at least", lambda one: f"{one.partitions:,}"),
        ("brokers, hosts", lambda one: f"{one.brokers:,}"),
        ("decided by", lambda one: one.brokers_by),
        ("into all brokers, GB/s", lambda one: f"{one.network / GB:,.2f}"),
        ("onto their disks a day, TB", lambda one: f"{one.disk_a_day / TB:,.1f}"),
        ("rows into ClickHouse a second", lambda one: f"{one.rows_per_s:,.0f}"),
        ("rows that it keeps of a day", lambda one: _large(one.rows_a_day)),
        ("ClickHouse, hosts", lambda one: f"{one.clickhouse:,}"),
        ("loaders, processes on them", lambda one: f"{one.loaders:,}"),
        ("JobManagers, hosts", lambda _: "2"),
        ("**hosts in all**", lambda one: f"**{one.hosts:,}**"),
    )
    return table(heads, [(name, *(cell(one) for one in needs)) for name, cell in rows])


def _demand(demand: Demand) -> str:
    size = " of 10 KB" if demand.event_bytes == LARGE_BYTES else ""
    return f"{_large(demand.events_per_s)} events/s{size}, {demand.products:,} products"


def _breaks(found: Sequence[Limit]) -> str:
    rows = [
        (
            one.part,
            "never" if math.isinf(one.events_per_s) else f"{one.events_per_s:,.0f}",
            one.why,
            one.then,
        )
        for one in found
    ]
    return table(("what", "at events/s", "why", "what helps"), rows, numbers=False)


def _large(value: float) -> str:
    for unit, name in ((1e9, "billion"), (1e6, "million")):
        if value >= unit:
            return f"{value / unit:,.3g} {name}"
    return f"{value:,.0f}"
