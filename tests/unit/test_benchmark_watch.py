"""What the witness says is heard, waited for, and missed when it ends."""

from __future__ import annotations

import sys

import pytest

from loadtest.benchmark.watch import NEVER_S, Seen, Stand, Watching, WitnessError

STAND = '{"at": 10.0, "ends": 7, "lag": 2, "away": [9.5], "worked": 1.5}'
# Takes the witness's program from standard input, and says something else.
SAYS = "import sys; sys.stdin.read(); "


def watching(program: str, seconds: float = 30.0) -> Watching:
    return Watching([sys.executable, "-c", SAYS + program], seconds, 2.0, sends=True)


def test_lines_are_understood_and_others_are_not() -> None:
    seen = Seen()
    for line in (
        '{"ready": "18.16.1"}',
        STAND,
        '{"sent": 9.0, "took": 0.25}',
        '{"failed": 8.0}',
    ):
        seen.hear(line)
    assert seen.stands == [Stand(10.0, 7, 2, (9.5,), 1.5)]
    assert seen.stands[0].booked == 5
    assert seen.version == "18.16.1"
    with pytest.raises(ValueError, match="has said"):
        seen.hear('{"what": 1}')


def test_events_that_are_no_rows_are_not_left_out() -> None:
    seen = Seen()
    for line in (
        STAND,
        '{"sent": 9.0, "took": 0.25}',
        '{"failed": 8.0}',
        '{"sent": 1.0, "took": 9}',
    ):
        seen.hear(line)
    assert sorted(seen.latencies(7.0, 10.0)) == [0.25, 0.5, NEVER_S]
    assert seen.latencies(0.0, 2.0) == [9]
    # It became a row after it was last told to be under way.
    seen.hear('{"sent": 9.5, "took": 0.75}')
    assert sorted(seen.latencies(7.0, 10.0)) == [0.25, 0.75, NEVER_S]
    assert Seen().latencies(0.0, 1.0) == []


def test_a_witness_is_given_its_program_and_heard() -> None:
    program = (
        "print('{\"ready\": \"' + ' '.join(sys.argv[1:]) + '\"}'); sys.stdout.flush(); "
        f"print('{STAND}')"
    )
    with watching(program) as one:
        one.expect(lambda seen: bool(seen.stands), "it stands", 30)
        assert (
            one.seen.version
            == "--endpoints=/etc/ctr/endpoints-reader.json --seconds=30 --every=2 --sends"
        )
        assert one.seen.wait(lambda seen: seen.over, 30)


def test_what_does_not_come_is_told() -> None:
    with (
        watching("import time; time.sleep(60)") as one,
        pytest.raises(WitnessError, match="Not within 0 s: the end of the world"),
    ):
        one.expect(lambda _: False, "the end of the world", 0.2)


@pytest.mark.parametrize(
    ("complaint", "told"),
    [
        ("Kafka cannot be read: away.", "has ended: Kafka cannot be read: away."),
        ("ModuleNotFoundError: No module named 'monitoring'", "run make site"),
        ("bash: cd: /opt/ctr-exporter/current: No such file or directory", "run make site"),
    ],
)
def test_a_witness_that_ends_is_told_with_what_it_complains_of(complaint: str, told: str) -> None:
    with (
        watching(f'sys.exit("{complaint}")') as one,
        pytest.raises(WitnessError, match=told),
    ):
        one.expect(lambda seen: bool(seen.stands), "it stands", 30)


def test_a_witness_that_says_nothing_of_its_end_is_told_too() -> None:
    with Watching(["true"], 1.0, 1.0, sends=False) as one, pytest.raises(WitnessError, match="why"):
        one.expect(lambda seen: bool(seen.stands), "it stands", 30)


def test_what_is_not_the_witnesss_is_passed_over_and_kept_for_the_complaint() -> None:
    program = f"print('a greeting'); print('7'); print('{STAND}')"
    with watching(program) as one:
        one.expect(lambda seen: bool(seen.stands), "it stands", 30)
        assert one.seen.wait(lambda seen: seen.over, 30)
        assert one.complaint == "7"
