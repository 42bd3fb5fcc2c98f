"""What events, rows and inserts cost, out of what was measured. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loadtest.benchmark.result import US, Run, Step
from loadtest.scaling.found import LARGE, MANY_PRODUCTS, USUAL, Found
from loadtest.scaling.model import LOADS_A_SECOND, TABLES, Costs, Demand

# The lab's own products; see `loadtest.benchmark.lab.LOAD`.
PRODUCTS = 1_000
BROKER, CLICKHOUSE, LOADER = "kafka", "clickhouse-server", "ctr-loader"


class UnknownError(Exception):
    """A figure that the model needs is not known; the text is a sentence for the reader."""


def costs_of(found: Found, runs: Sequence[Run]) -> tuple[Costs, Run]:
    """The costs, and the run of the benchmark that those of brokers and ClickHouse are of.

    Args:
        found: What was measured here.
        runs: Of the benchmark, the newest last.

    Raises:
        UnknownError: Too little was measured.
    """
    if not found.measured:
        raise UnknownError("no configuration was measured: run `make scaling` on a lab.")
    run = next((one for one in reversed(runs) if len(_told(one)) > 1), None)
    if run is None:
        raise UnknownError(
            "what brokers and ClickHouse cost is not known: run `make benchmark`, which measures a "
            "low and a high load, and then `make scaling AGAIN=1`."
        )
    steps = _told(run)
    low, high = steps[0], steps[-1]
    for name in (BROKER, CLICKHOUSE, LOADER):
        if not high.cost.components.get(name):
            raise UnknownError(f"the benchmark of {run.began} has no CPU of {name}: run it again.")
    broker, _ = _line(low, high, BROKER, lambda step: step.counted_per_s)
    row, rest = _line(low, high, CLICKHOUSE, _rows)
    loader, _ = _line(low, high, LOADER, _rows)
    modelled = Demand(high.counted_per_s, PRODUCTS).rows_per_s
    return (
        Costs(
            slot_us=max(one.drain.cost.us_taskmanager for one in found.measured.values()),
            broker_us=broker * US,
            row_us=row * US,
            insert_us=rest / (LOADS_A_SECOND * TABLES) * US,
            loader_us=loader * US,
            jobmanager_cores=max(
                one.drain.cost.components.get("flink-jobmanager", 0.0)
                for one in found.measured.values()
            ),
            rows_seen=_rows(high) / modelled,
            many_products_us=_more(found, MANY_PRODUCTS),
            large_event_us=_more(found, LARGE),
        ),
        run,
    )


def _told(run: Run) -> list[Step]:
    """The steps of which all is known, the lowest load first."""
    steps = [one for one in run.steps if one.rows_per_s and one.counted_per_s]
    return sorted(steps, key=lambda one: one.rate)


def _rows(step: Step) -> float:
    return step.rows_per_s or 0.0


def _line(
    low: Step, high: Step, component: str, what: Callable[[Step], float]
) -> tuple[float, float]:
    """Core seconds for each of something, and cores for none of it.

    Where noise hides what the one step has more than the other, all counts for what was done.
    """
    few, many = (step.cost.components.get(component, 0.0) for step in (low, high))
    if what(high) > what(low) and many > few:
        slope = (many - few) / (what(high) - what(low))
        return slope, max(0.0, few - slope * what(low))
    return many / what(high), 0.0


def _more(found: Found, name: str) -> float:
    """By how much an event of a simulation costs more than a usual one; 0 where not known."""
    if name not in found.simulated or USUAL not in found.simulated:
        return 0.0
    return max(0.0, found.simulated[name].us - found.simulated[USUAL].us)
