"""Alerts, pages, playbooks and drills say the same, and name only what there is."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.lab import drill
from tests.lab.drill import Drilled, acknowledged
from tests.lab.fleet import LabFailedError
from tests.unit.debian import program

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "runbooks"
SHARED = {"tasks"}
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation"]
# Brought by packages, and asked for where a site may have them instead of another.
FOREIGN_UNITS = {"systemd-timesyncd", "chrony", "prometheus-node-exporter"}


def folders() -> list[str]:
    return sorted(
        path.name for path in RUNBOOKS.iterdir() if path.is_dir() and path.name not in SHARED
    )


def page(alert: str) -> str:
    return (RUNBOOKS / alert / "README.md").read_text()


def rules() -> str:
    return "\n".join(
        path.read_text() for path in sorted((ROOT / "monitoring" / "rules").glob("*.yml"))
    )


def rules_of(alert: str) -> list[str]:
    """The text of each rule of an alert."""
    blocks = re.split(r"^\s*- (?=alert: |record: |name: )", rules(), flags=re.MULTILINE)
    return [block for block in blocks if block.startswith(f"alert: {alert}\n")]


def severities(alert: str) -> set[str]:
    return {found for rule in rules_of(alert) for found in re.findall(r"severity: (\w+)", rule)}


def units() -> set[str]:
    """Every unit that a role brings; a number at its end is one of several."""
    named = {path.name.split(".")[0] for path in ROOT.glob("roles/*/templates/*.service.j2")}
    for path in ROOT.glob("roles/*/tasks/*.yml"):
        named |= set(re.findall(r"unit_name: ([\w-]+)", path.read_text()))
    return named | FOREIGN_UNITS


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert folders() == sorted(set(re.findall(r"^\s*- alert: (\w+)$", rules(), re.MULTILINE)))


def test_every_alert_leads_to_its_page() -> None:
    for alert in folders():
        found = [re.findall(r"runbook_url: (\S+)", rule) for rule in rules_of(alert)]
        assert found
        assert all(urls == [f"runbooks/{alert}/README.md"] for urls in found), alert


@pytest.mark.parametrize("alert", folders())
def test_a_page_has_its_five_headings_in_their_order_and_nothing_empty(alert: str) -> None:
    text = page(alert)
    assert text.startswith(f"# {alert}\n")
    found = sections(text)
    assert list(found) == HEADINGS
    assert all(content.strip() for content in found.values())
    assert re.search(r"^```\n.+\n```$", found["Diagnosis"], re.MULTILINE | re.DOTALL), (
        f"{alert}: its diagnosis has no command to paste"
    )


def test_a_playbook_and_a_drill_come_together() -> None:
    for alert in folders():
        kinds = {path.name for path in (RUNBOOKS / alert).iterdir()} - {"README.md"}
        assert kinds in (set(), {"playbook.yml", "drill.yml"}), alert
    assert len(drill.names()) >= 5


def test_the_index_has_each_alert_with_its_severity_and_its_playbook() -> None:
    lines = re.findall(
        r"^\| \[(\w+)\]\((\w+)/README\.md\) \| ([\w, ]+) \| .+ \| (.+) \|$",
        (RUNBOOKS / "README.md").read_text(),
        re.MULTILINE,
    )
    assert [alert for alert, *_ in lines] == folders()
    for alert, folder, severity, mended in lines:
        assert folder == alert
        assert ("playbook.yml" in mended) == (RUNBOOKS / alert / "playbook.yml").exists(), alert
        assert set(severity.split(", ")) == severities(alert), alert


@pytest.mark.parametrize("alert", ["README.md", *folders()])
def test_every_playbook_that_is_named_is_there(alert: str) -> None:
    text = (RUNBOOKS / alert).read_text() if alert.endswith(".md") else page(alert)
    named = set(re.findall(r"(?<![\w/.])((?:ansible|runbooks)/[\w/]+\.yml)", text))
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_every_unit_that_is_named_is_one_of_a_role() -> None:
    known = units()
    seen = set()
    for alert in folders():
        text = page(alert)
        named = [
            unit
            for words in re.findall(
                r"systemctl (?:status|is-active|start|stop|restart|show|set-property)"
                r"((?: +-n \d+| +--\S+| +[a-z][\w-]*)+)",
                text,
            )
            for unit in re.sub(r" -n \d+| --\S+", "", words).split()
        ]
        named += re.findall(r"journalctl -u ([\w-]+)", text)
        named += re.findall(r"systemd_service -a 'name=([\w-]+)", text)
        seen |= set(named)
        assert set(named) <= known, f"{alert}: {set(named) - known} is no unit of a role"
    assert len(seen) >= 8


def test_every_service_that_a_playbook_starts_is_one_of_a_role() -> None:
    named = {
        unit
        for path in RUNBOOKS.rglob("*.yml")
        for unit in re.findall(r"start_unit: ([\w-]+)", path.read_text())
    }
    assert named
    assert named <= units()


@pytest.mark.parametrize("alert", drill.names())
def test_a_drill_is_of_its_alert_and_puts_all_back(alert: str) -> None:
    text = (RUNBOOKS / alert / "drill.yml").read_text()
    assert f"drill_alert: {alert}\n" in text
    begin, end, back = (text.index(f"drill_{part}.yml") for part in ("begin", "end", "back"))
    assert begin < end < text.index("always:") < back
    assert f"make drill NAME={alert}" in text


def test_a_page_does_not_repeat_the_expression_of_its_alert() -> None:
    for alert in folders():
        for rule in rules_of(alert):
            lines = rule.split("expr:", 1)[1].split("for:", 1)[0].splitlines()
            assert lines
            repeated = [line for line in lines if len(line) > 30 and line.strip() in page(alert)]
            assert repeated == [], alert


def test_the_page_of_a_target_explains_every_job_that_has_no_alert_of_its_own() -> None:
    jobs = YAML(typ="safe").load(ROOT / "roles/prometheus/defaults/main.yml")["prometheus_jobs"]
    (rule,) = rules_of("TargetDown")
    (apart,) = re.findall(r'up\{job!~"([\w|]+)"\}', rule)
    told = re.findall(r"^\| `(\w+)` \|", page("TargetDown"), re.MULTILINE)
    assert sorted(told) == sorted({job["name"] for job in jobs} - set(apart.split("|")))


# Two hosts monitor: each has an exporter, which tells of 10 events a second of either outcome.
TWO_EXPORTERS = [
    {
        "series": f'ctr_events_total{{topic="clicks", outcome="{outcome}", job="exporter", '
        f'host="{host}", instance="{host}:9406"}}',
        "values": "0+50x60",
    }
    for outcome in ("counted", "malformed")
    for host in ("monitor1", "monitor2")
]
BY_OUTCOME = [
    {"labels": f'{{topic="clicks", outcome="{outcome}"}}', "value": 10}
    for outcome in ("counted", "malformed")
]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("CtrInvalidRateHigh/playbook.yml", BY_OUTCOME),
        ("tasks/drill_begin.yml", [{"labels": "{}", "value": 20}]),
    ],
)
def test_an_event_of_which_two_exporters_tell_is_one(
    path: str, told: list[dict[str, object]], tmp_path: Path
) -> None:
    (asked,) = re.findall(r"'(.*ctr_events_total.*)'", (RUNBOOKS / path).read_text())
    case = {
        "interval": "5s",
        "input_series": TWO_EXPORTERS,
        "promql_expr_test": [{"expr": asked, "eval_time": "4m", "exp_samples": told}],
    }
    file = tmp_path / "case.json"
    file.write_text(json.dumps({"rule_files": [], "evaluation_interval": "5s", "tests": [case]}))
    judged = subprocess.run(  # noqa: S603
        [program("promtool", "prometheus"), "test", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_a_page_that_asks_flink_names_the_job_that_it_means() -> None:
    # A recount has a job of its own beside it, and jobs that have ended are listed too.
    asking = [line for alert in folders() for line in page(alert).splitlines() if "job=$(" in line]
    assert asking
    assert all('j["name"] == "ctr"' in line for line in asking)


def test_a_drill_is_told_in_one_line() -> None:
    told = Drilled("CtrJobDown", alert_s=20.6, mended_s=48.2, silent_s=51.0, lost=0)
    assert str(told) == (
        "CtrJobDown: alert after 21 s, mended after 48 s, rows missing for 51 s, events lost 0"
    )


def test_a_load_that_could_not_send_all_proves_nothing() -> None:
    assert acknowledged("1,234,567 events acknowledged by Kafka, 0 failed") == 1_234_567
    with pytest.raises(AssertionError, match="could not send all"):
        acknowledged("10 events acknowledged by Kafka, 3 failed")
    with pytest.raises(AssertionError, match="does not tell"):
        acknowledged("nothing of that kind")


def test_an_alert_without_a_drill_is_refused_with_those_that_have_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        drill.main(["HostDown"])
    assert ended.value.code == 2
    assert "HostDown has no drill; these have: CtrBackpressureHigh" in capsys.readouterr().err


class PlayedLab:
    """A lab whose drill goes well, and whose counts rise while it does."""

    def __init__(self, sent: int, kept: int) -> None:
        self.offsets = iter([100, 100 + kept]).__next__
        self._sent = sent
        self._asked = threading.Event()
        self._counts = count()
        self.ran: list[str] = []

    def counted_since(self, _: int) -> Callable[[], int]:
        def ask() -> int:
            counted = next(self._counts)
            if counted >= 3:
                self._asked.set()
            return counted

        return ask

    def playbook(self, name: str, *arguments: str) -> None:
        self.ran.append(name)
        begun = time.time()
        assert self._asked.wait(60)
        told = {
            "begun": begun,
            "alerted": begun + 20.0,
            "mended": begun + 45.0,
            "load": f"{self._sent} events acknowledged by Kafka, 0 failed",
        }
        Path(arguments[-1].removeprefix("drill_report=")).write_text(json.dumps(told))


@pytest.mark.parametrize(("kept", "status"), [(500, 0), (497, 1)])
def test_a_drill_holds_what_was_sent_against_what_kafka_has(
    kept: int, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = PlayedLab(sent=500, kept=kept)
    monkeypatch.setattr(drill, "Lab", lambda: lab)
    assert drill.main(["KafkaBrokerDown"]) == status
    assert lab.ran == ["../runbooks/KafkaBrokerDown/drill"]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("KafkaBrokerDown: alert after 20 s, mended after 45 s, rows missing for")
    assert line.endswith(f"events lost {500 - kept}")


class SilentLab(PlayedLab):
    """A lab whose load does not tell what it sent."""

    def playbook(self, name: str, *arguments: str) -> None:
        super().playbook(name, *arguments)
        report = Path(arguments[-1].removeprefix("drill_report="))
        report.write_text(json.dumps(json.loads(report.read_text()) | {"load": None}))


def test_a_drill_whose_load_does_not_tell_what_it_sent_fails_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drill, "Lab", lambda: SilentLab(sent=500, kept=500))
    assert drill.main(["KafkaBrokerDown"]) == 1
    said = capsys.readouterr().err
    assert said == "KafkaBrokerDown: the load does not tell what it sent: ''\n"


class BrokenOffLab(PlayedLab):
    """A lab whose drill is ended in the middle, and whose Kafka then cannot be put right."""

    def __init__(self, end: BaseException) -> None:
        super().__init__(sent=0, kept=0)
        self._end = end

    def playbook(self, name: str, *arguments: str) -> None:
        self.ran.append(" ".join((name, *arguments)))
        if name.startswith("../runbooks"):
            self.ran.pop()
            raise self._end
        if name == "kafka":
            raise LabFailedError("kafka.yml failed:\nno disk")


@pytest.mark.parametrize(
    ("end", "status"),
    [(KeyboardInterrupt(), 130), (subprocess.TimeoutExpired("ansible-playbook", 3_600), 1)],
    ids=["interrupted", "too long"],
)
def test_a_drill_that_is_broken_off_leaves_neither_load_nor_fault(
    end: BaseException,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lab = BrokenOffLab(end)
    monkeypatch.setattr(drill, "Lab", lambda: lab)
    assert drill.main(["KafkaBrokerDown"]) == status
    assert lab.ran == ["load -e load_state=stopped", "kafka", "flink", "job"]
    said = capsys.readouterr().err
    assert "KafkaBrokerDown: its drill was broken off. Its load is stopped" in said
    assert "no disk\nMend it by `make site`." in said


def test_a_drill_that_is_interrupted_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = BrokenOffLab(KeyboardInterrupt())
    monkeypatch.setattr(drill, "Lab", lambda: lab)
    assert drill.main([]) == 130
    assert lab.ran.count("flink") == 1


def test_the_load_of_a_drill_ends_though_nobody_stops_it() -> None:
    begin = (RUNBOOKS / "tasks" / "drill_begin.yml").read_text()
    (seconds,) = re.findall(r"load_duration=(\d+)", begin)
    assert 600 < int(seconds) <= 3_600


def test_a_drill_that_fails_says_why_and_the_next_one_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Drilled("CtrJobDown", alert_s=1, mended_s=2, silent_s=3, lost=0)

    def drilled(_: object, alert: str) -> Drilled:
        assert alert == "CtrJobDown", "the alert did not come"
        return told

    monkeypatch.setattr(drill, "Lab", object)
    monkeypatch.setattr(drill, "drilled", drilled)
    assert drill.main(["KafkaBrokerDown", "CtrJobDown"]) == 1
    said = capsys.readouterr()
    assert "KafkaBrokerDown: the alert did not come" in said.err
    assert said.out == f"{told}\n"
