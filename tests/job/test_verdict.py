"""The page of Java gives rules 1 to 5 as the specification does, for any bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flink_job.domain import Outcome, Record, judge
from flink_job.java import java_gateway
from flink_job.verdict.build import SOURCE, verdict_jar
from tests.nasty import GOOD, NASTY, T

Judge = Callable[[bytes | None, int], str]


@pytest.fixture(scope="module")
def java(jar: Path) -> Judge:
    jvm = java_gateway().jvm
    urls = java_gateway().new_array(jvm.java.net.URL, 1)
    urls[0] = jvm.java.net.URL(jar.as_uri())
    loader = jvm.java.net.URLClassLoader(
        urls, jvm.java.lang.Thread.currentThread().getContextClassLoader()
    )
    function = loader.loadClass("Verdict").newInstance()

    def judge_in_java(value: bytes | None, appended: int) -> str:
        time = jvm.org.apache.flink.table.data.TimestampData.fromEpochMillis(appended)
        row = function.eval(value, time)
        if not row.isNullAt(0):
            return str(row.getString(0).toString())
        return repr(
            (row.getString(1).toString(), row.getBoolean(2), row.getLong(3), row.getLong(4))
        )

    return judge_in_java


def python(value: bytes | None, appended: int) -> str:
    verdict = judge(Record("t", 0, 0, appended, value), None)
    event = verdict.event
    if verdict.outcome in {Outcome.COUNTED, Outcome.LATE} and event is not None:
        start = event.timestamp - event.timestamp % 10_000
        return repr((event.product_id, event.is_click, min(event.timestamp, appended), start))
    return verdict.outcome.value


SCALARS = st.one_of(
    st.sampled_from(
        [
            '"u"',
            '""',
            '" "',
            "null",
            "true",
            "{}",
            "[]",
            "5",
            "-0",
            "1e3",
            '"\\ud800"',
            '"\\ud83d\\ude00"',
        ]
    ),
    st.sampled_from(['"click"', '"view"', '"impression"', '"buy"', f'"{T}"', str(T), f"{T}.0"]),
    st.integers(T - 604_800_002, T + 60_002).map(str),
    st.integers(-(2**64), 2**64).map(str),
    st.text(max_size=6).map(lambda text: f'"{text}"'),
)
NAMES = st.sampled_from(["userId", "productId", "eventType", "timestamp", "x", "user\\u0049d"])
SPACES = st.sampled_from(["", "", "", " ", "\n", "\t\r", "\x0c", "\u00a0"])
FIELDS = st.tuples(SPACES, NAMES, SCALARS, SPACES).map(lambda f: f'{f[0]}"{f[1]}":{f[2]}{f[3]}')
OBJECTS = st.lists(FIELDS, max_size=7).map(
    lambda fields: ("{" + ",".join(fields) + "}").encode("utf-8", "surrogatepass")
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message that somebody has changed a few bytes of."""
    short = [value for value, _ in NASTY.values() if value and len(value) < 300]
    value = bytearray(draw(st.sampled_from([GOOD, *short])))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(value) - 1)))
        what = draw(
            st.sampled_from([b"", b'"', b"{", b"}", b",", b":", b"\\", b"0", b"\x00", b"\xc3"])
        )
        value[place : place + draw(st.integers(0, 1))] = what
    return bytes(value)


@settings(max_examples=1_500, deadline=None)
@given(st.one_of(OBJECTS, mutated(), st.binary(max_size=60)))
@example(b"")
def test_java_and_the_specification_agree_on_any_bytes(java: Judge, value: bytes) -> None:
    assert java(value, T) == python(value, T)


@pytest.mark.parametrize("name", NASTY)
def test_java_and_the_specification_agree_on_the_corpus(java: Judge, name: str) -> None:
    value, _ = NASTY[name]
    assert java(value, T) == python(value, T)


def test_the_same_bytes_appended_later_are_judged_anew(java: Judge) -> None:
    day = 86_400_000
    assert [java(GOOD, T + days * day) for days in (0, 8, -8)] == [
        python(GOOD, T + days * day) for days in (0, 8, -8)
    ]


def test_the_same_page_gives_the_same_jar(tmp_path: Path) -> None:
    one, other = verdict_jar(tmp_path / "one"), verdict_jar(tmp_path / "other")
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()
    assert zipfile.ZipFile(one).namelist() == ["Verdict.class"]


def test_a_changed_page_gives_another_jar(tmp_path: Path) -> None:
    changed = tmp_path / "Verdict.java"
    changed.write_text(SOURCE.read_text() + "// changed\n")
    assert verdict_jar(tmp_path, changed).name != verdict_jar(tmp_path).name
