"""The pages of Java give rules 1 to 5 as the specification does, for any bytes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from py4j.java_gateway import get_field

from flink_job.domain import Outcome, Record, judge
from flink_job.java import java_gateway
from flink_job.verdict.build import FOLDER, PAGES, verdict_jar
from tests.nasty import GOOD, NASTY, T

Judge = Callable[[bytes | None, int], str]
OF_AN_EVENT = ("product", "click", "seen", "windowStart")


@pytest.fixture(scope="module")
def java(jar: Path) -> Judge:
    jvm = java_gateway().jvm
    urls = java_gateway().new_array(jvm.java.net.URL, 1)
    urls[0] = jvm.java.net.URL(jar.as_uri())
    loader = jvm.java.net.URLClassLoader(
        urls, jvm.java.lang.Thread.currentThread().getContextClassLoader()
    )
    verdict = loader.loadClass("Verdict").newInstance()

    def judge_in_java(value: bytes | None, appended: int) -> str:
        rejected = verdict.judge(value, appended)
        if rejected is not None:
            return str(rejected.toString())
        product, *rest = (get_field(verdict, name) for name in OF_AN_EVENT)
        return repr((product.toString(), *rest))

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


# Where UTF-8 changes its mind: the first and last byte of each of its ranges.
EDGES = [*b"\x00\x1f\x20\x22\x5c\x7f\x80\x8f\x90\x9f\xa0\xbf"]
EDGES += [*b"\xc0\xc1\xc2\xdf\xe0\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff"]
SEQUENCES = st.lists(st.sampled_from(EDGES), min_size=1, max_size=6).map(bytes)
ESCAPED = [rb"\u%b" % code for code in (b"d800", b"dbff", b"dc00", b"dfff", b"d7ff", b"e000")]
ESCAPED += [
    rb"\uD83D\uDE00",
    rb"\u0000",
    rb"\u0020",
    rb"\u12",
    rb"\ug000",
    rb"\x",
    b"\\",
    rb"\"",
    b" ",
]
ESCAPES = st.lists(st.sampled_from(ESCAPED), max_size=5).map(b"".join)
NUMBERS = st.one_of(
    st.text("0123456789+-.eE", min_size=1, max_size=24),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,20})?", fullmatch=True),
    st.tuples(st.sampled_from(["", "-", "1.", "1e", "-1E-"]), st.integers(990, 1_010)).map(
        lambda parts: parts[0] + "1" * (parts[1] - len(parts[0]))
    ),
).map(str.encode)
NAME = st.sampled_from([b"userId", b"productId", b"eventType", b"timestamp", b"x"])


@st.composite
def padded(draw: st.DrawFn) -> bytes:
    """Odd bytes somewhere in a long text: parsers keep texts in pieces of some thousand bytes."""
    before, behind = draw(st.integers(0, 9_000)), draw(st.integers(0, 9_000))
    odd = draw(st.one_of(SEQUENCES, ESCAPES))
    text = b'"' + b"a" * before + odd + b"b" * behind + b'"'
    name = draw(NAME)
    return GOOD[:-1] + b"," + (b'"%b":%b' % (name, text) if draw(st.booleans()) else text + b":1")


@st.composite
def nested(draw: st.DrawFn) -> bytes:
    """Arrays and objects about as deep as is allowed, at times not closed as they were opened."""
    kinds = draw(st.lists(st.sampled_from("[{"), min_size=1, max_size=4))
    levels = [kinds[level % len(kinds)] for level in range(draw(st.integers(990, 1_010)))]
    closing = ["]" if kind == "[" else "}" for kind in reversed(levels)]
    closing = closing[draw(st.integers(0, 1)) :]
    opened = "".join("[" if kind == "[" else '{"a":' for kind in levels)
    name = draw(NAME)
    return GOOD[:-1] + f',"{name.decode()}":{opened}1{"".join(closing)}}}'.encode()


# What stands between and in the tokens of a message.
MARKS = [*b' \t\n\r\x0b\x1f"\\/{}[]:,-+.019eEuntf~\x7f\x80\xc3\xff']
WORDS = st.one_of(
    st.sampled_from(["u", "p", " p", "p ", "", " ", "click", "view", "impression", "Click"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=127, exclude_characters='"\\')),
)
NUMBERED = st.one_of(st.just(T), st.integers(0, 2**65)).map(str)
PLAIN_NAMES = st.one_of(
    st.sampled_from(["userId", "productId", "eventType", "timestamp", "userid", "eventTypes", ""]),
    st.text("abcI", max_size=9),
)
BLANKS = st.text(" \n\r\t", max_size=2)
PLAIN_MEMBERS = st.tuples(PLAIN_NAMES, st.one_of(WORDS.map(json.dumps), NUMBERED))


@st.composite
def plain(draw: st.DrawFn) -> bytes:
    """Texts and whole numbers alone, mostly a good event, in any order and with anything beside."""
    good = [
        ("userId", draw(WORDS.map(json.dumps))),
        ("productId", draw(WORDS.map(json.dumps))),
        ("eventType", draw(st.sampled_from(['"click"', '"view"', '"impression"', '"buy"']))),
        ("timestamp", draw(NUMBERED)),
    ]
    members = draw(st.permutations(good + draw(st.lists(PLAIN_MEMBERS, max_size=3))))
    written = [
        "".join((draw(BLANKS), f'"{name}"', draw(BLANKS), ":", draw(BLANKS), value, draw(BLANKS)))
        for name, value in members
    ]
    return (draw(BLANKS) + "{" + ",".join(written) + "}" + draw(BLANKS)).encode()


@settings(max_examples=1_500, deadline=None)
@given(st.one_of(OBJECTS, mutated(), st.binary(max_size=60)))
@example(b"")
def test_java_and_the_specification_agree_on_any_bytes(java: Judge, value: bytes) -> None:
    assert java(value, T) == python(value, T)


@settings(max_examples=300, deadline=None)
@given(padded().map(lambda value: value + b"}"))
def test_java_and_the_specification_agree_on_long_texts(java: Judge, value: bytes) -> None:
    assert java(value, T) == python(value, T)


@settings(max_examples=300, deadline=None)
@given(NAME, NUMBERS)
def test_java_and_the_specification_agree_on_numbers(
    java: Judge, name: bytes, number: bytes
) -> None:
    for text in (number, b'"' + number + b'"', b"[" + number + b"]"):
        value = GOOD[:-1] + b',"%b":%b}' % (name, text)
        assert java(value, T) == python(value, T)


@settings(max_examples=100, deadline=None)
@given(nested())
def test_java_and_the_specification_agree_on_depths(java: Judge, value: bytes) -> None:
    assert java(value, T) == python(value, T)


@pytest.mark.parametrize(
    "around",
    [
        (b"", GOOD),
        (GOOD, b""),
        (GOOD[:-1] + b',"x":"', b'"}'),
        (GOOD[:-1] + b',"x', b'":1}'),
        (GOOD[:-1] + b',"userId":"', b'"}'),
        (GOOD[:-1] + b',"x":"\\', b'"}'),
        (GOOD[:-1] + b',"x":1', b"}"),
        (GOOD[:-1] + b',"x":', b"1}"),
        (GOOD[:-1] + b',"timestamp":17640000', b"00000}"),
        (GOOD[:-1] + b',"timestamp":"17640000', b'00000"}'),
    ],
)
def test_java_and_the_specification_agree_on_every_byte_in_every_place(
    java: Judge, around: tuple[bytes, bytes]
) -> None:
    before, behind = around
    values = [before + bytes([byte]) + behind for byte in range(256)]
    assert [java(value, T) for value in values] == [python(value, T) for value in values]


@pytest.mark.parametrize("place", range(len(GOOD) + 1))
def test_java_and_the_specification_agree_on_a_good_message_with_a_byte_changed(
    java: Judge, place: int
) -> None:
    before, behind = GOOD[:place], GOOD[place:]
    values = [before + bytes([byte]) + behind for byte in MARKS]
    values += [before + bytes([byte]) + behind[1:] for byte in MARKS]
    values += [before + behind[1:], before, GOOD + behind]
    assert [java(value, T) for value in values] == [python(value, T) for value in values]


@settings(max_examples=1_000, deadline=None)
@given(plain())
@example(GOOD)
def test_java_and_the_specification_agree_on_plain_messages(java: Judge, value: bytes) -> None:
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


def test_the_same_pages_give_the_same_jar(tmp_path: Path) -> None:
    one, other = verdict_jar(tmp_path / "one"), verdict_jar(tmp_path / "other")
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()
    classes = {Path(name).stem for name in zipfile.ZipFile(one).namelist()}
    assert classes == {Path(page).stem for page in PAGES} | {"Judge$Partition"}


@pytest.mark.parametrize("page", PAGES)
def test_a_changed_page_gives_another_jar(tmp_path: Path, page: str) -> None:
    for name in PAGES:
        text = (FOLDER / name).read_text()
        (tmp_path / name).write_text(text + "// changed\n" if name == page else text)
    assert verdict_jar(tmp_path, tmp_path).name != verdict_jar(tmp_path).name
