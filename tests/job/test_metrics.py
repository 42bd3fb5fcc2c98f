"""What Flink tells Prometheus is all that rules and dashboards ask of it, by Flink's own filter."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from flink_job.java import java_gateway
from tests.unit.test_dashboards import expressions
from tests.unit.test_rules import rules

ROOT = Path(__file__).parents[2]
REPORTER = "metrics.reporter.prometheus."


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - of the JVM
    """Whether a metric of a scope and a name is told, by the settings of the role."""
    settings = YAML(typ="safe").load(ROOT / "roles/flink/vars/main.yml")["flink_own_settings"]
    folder = tmp_path_factory.mktemp("conf")
    mine = {key: value for key, value in settings.items() if key.startswith(REPORTER)}
    # JSON is YAML.
    (folder / "config.yaml").write_text(json.dumps(mine))
    flink = java_gateway().jvm.org.apache.flink
    read = flink.configuration.GlobalConfiguration.loadConfiguration(str(folder))
    reporter = flink.configuration.MetricOptions.forReporter(read, "prometheus")
    filters = flink.runtime.metrics.filter.DefaultReporterFilters
    found = filters.metricsFromConfiguration(reporter)
    metric = flink.metrics.SimpleCounter()
    return lambda scope, name: found.filter(metric, name, scope)


def test_every_metric_that_rules_and_dashboards_ask_of_flink_is_told(
    told: Any,  # noqa: ANN401
) -> None:
    text = "\n".join([*expressions(), *(rule["expr"] for rule in rules())])
    names = set(re.findall(r"\bflink_((?:job|task)manager_\w+)", text))
    assert len(names) > 20
    metrics = [name.replace("_", ".").rpartition(".") for name in sorted(names)]
    assert [(scope, name) for scope, _, name in metrics if not told(scope, name)] == []


@pytest.mark.parametrize(
    "scope",
    [
        "taskmanager.job.task.operator.KafkaProducer",
        "taskmanager.job.task.operator.KafkaSourceReader.topic.partition",
        "taskmanager.job.task.operator.split.watermark",
        "taskmanager.job.task.Shuffle.Netty.Input",
    ],
)
def test_series_of_each_client_partition_and_buffer_are_not_told(
    told: Any,  # noqa: ANN401
    scope: str,
) -> None:
    assert not told(scope, "record-send-total")
    assert not told(scope, "currentOffset")
