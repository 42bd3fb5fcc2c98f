"""Messages that went wrong for somebody, and the one outcome that each of them has.

The corpus that the specification, the Java page and the whole job are all held against. The
expected outcomes are written by hand from the contract, not computed.
"""

from __future__ import annotations

from flink_job.domain import Outcome

T = 1_764_000_000_000  # 2025-11-24T16:00:00Z, the append time of every message here

COUNTED = Outcome.COUNTED
MALFORMED = Outcome.MALFORMED
MISSING = Outcome.MISSING_FIELD
UNKNOWN = Outcome.UNKNOWN_TYPE
FUTURE = Outcome.FUTURE_TIMESTAMP
OLD = Outcome.OLD_TIMESTAMP


def event(
    *,
    user: str = '"u"',
    product: str = '"p"',
    kind: str = '"click"',
    time: str = str(T),
    more: str = "",
) -> bytes:
    """A message of the four fields, each given as it stands in the JSON, and something behind."""
    fields = f'"userId":{user},"productId":{product},"eventType":{kind},"timestamp":{time}'
    return f"{{{fields}{more}}}".encode()


def with_extra(value: bytes) -> bytes:
    """A good message with an unknown field of this value."""
    return event()[:-1] + b',"x":' + value + b"}"


GOOD = event()

NASTY: dict[str, tuple[bytes | None, Outcome]] = {
    # What is no JSON object at all
    "a tombstone": (None, MALFORMED),
    "empty": (b"", MALFORMED),
    "blanks": (b"  ", MALFORMED),
    "JSON null": (b"null", MALFORMED),
    "a number": (b"123", MALFORMED),
    "a string": (b'"str"', MALFORMED),
    "true": (b"true", MALFORMED),
    "a bare NaN": (b"NaN", MALFORMED),
    "an array": (b"[1,2]", MALFORMED),
    "an empty array": (b"[]", MALFORMED),
    "an array with one event": (b"[" + GOOD + b"]", MALFORMED),
    "an array with two events": (b"[" + GOOD + b"," + GOOD + b"]", MALFORMED),
    "an array of all sorts": (b"[1," + GOOD + b"]", MALFORMED),
    "100,000 opening brackets": (b"[" * 100_000, MALFORMED),
    "100,000 opening braces": (b'{"a":' * 100_000, MALFORMED),
    "cut short": (b'{"userId":"u1","productId":"p1"', MALFORMED),
    "cut inside a string": (b'{"userId":"abc', MALFORMED),
    "cut inside an escape": (b'{"userId":"abc\\', MALFORMED),
    "cut inside a value that does not count": (GOOD[:-1] + b',"x":[1', MALFORMED),
    # Something around the object
    "white space around it": (b"\t\r\n " + GOOD + b" \n\r\t", COUNTED),
    "garbage behind it": (GOOD + b" xyz", MALFORMED),
    "a brace behind it": (GOOD + b"}", MALFORMED),
    "a comma behind it": (GOOD + b",", MALFORMED),
    "a NUL behind it": (GOOD + b"\x00", MALFORMED),
    "a NUL in front": (b"\x00" + GOOD, MALFORMED),
    "two objects": (GOOD + GOOD, MALFORMED),
    "two objects on two lines": (GOOD + b"\n" + GOOD, MALFORMED),
    "a form feed in front": (b"\x0c" + GOOD, MALFORMED),
    "a no-break space in front": ("\u00a0".encode() + GOOD, MALFORMED),
    "a vertical tab behind": (GOOD + b"\x0b", MALFORMED),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, MALFORMED),
    # Other encodings
    "UTF-16 with a mark": (GOOD.decode().encode("utf-16"), MALFORMED),
    "UTF-16 little endian": (GOOD.decode().encode("utf-16-le"), MALFORMED),
    "UTF-16 big endian": (GOOD.decode().encode("utf-16-be"), MALFORMED),
    "UTF-32 big endian": (GOOD.decode().encode("utf-32-be"), MALFORMED),
    "UTF-32 little endian with a mark": (GOOD.decode().encode("utf-32"), MALFORMED),
    "invalid UTF-8 in a field": (event().replace(b'"u"', b'"\xff\xfe"'), MALFORMED),
    "invalid UTF-8 in an unknown field": (with_extra(b'"\xff"'), MALFORMED),
    "invalid UTF-8 behind the object": (GOOD + b"\xff", MALFORMED),
    "a surrogate in UTF-8": (with_extra(b'"\xed\xa0\x80"'), MALFORMED),
    "an overlong slash": (with_extra(b'"\xc0\xaf"'), MALFORMED),
    "beyond Unicode": (with_extra(b'"\xf4\x90\x80\x80"'), MALFORMED),
    "a cut sequence": (with_extra(b'"\xe2\x82"'), MALFORMED),
    "text of many scripts": (event(user='"Ünïcödé 日本語 😀"'), COUNTED),
    "the replacement character": (event(user='"\ufffd"'), COUNTED),
    # What JSON does not have
    "single quotes": (b"{'userId':'q'}", MALFORMED),
    "a comment in front": (b"/* c */ " + GOOD, MALFORMED),
    "a line comment inside": (GOOD[:-1] + b"// c\n}", MALFORMED),
    "a hash comment behind": (GOOD + b"# c", MALFORMED),
    "an unquoted name": (b'{userId:"q"}', MALFORMED),
    "a trailing comma": (GOOD[:-1] + b",}", MALFORMED),
    "a trailing comma in an array": (with_extra(b"[1,]"), MALFORMED),
    "a doubled comma": (GOOD[:-1] + b',,"x":1}', MALFORMED),
    "no colon": (GOOD[:-1] + b',"x" 1}', MALFORMED),
    "brackets that cross": (with_extra(b"[{]}"), MALFORMED),
    "a wrong escape": (event(user=r'"a\qb"'), MALFORMED),
    "a wrong escape in an unknown field": (with_extra(rb'"\x41"'), MALFORMED),
    "a short Unicode escape": (with_extra(rb'"\u00e"'), MALFORMED),
    "a Unicode escape with a sign": (with_extra(rb'"\u+123"'), MALFORMED),
    "a raw newline in a string": (event(user='"a\nb"'), MALFORMED),
    "a raw tab in a string": (event(user='"a\tb"'), MALFORMED),
    "a raw NUL in a string": (event(user='"a\x00b"'), MALFORMED),
    "a raw control character in a name": (with_extra(b'1,"a\x01b":2'), MALFORMED),
    "a raw delete in a string": (event(user='"a\x7fb"'), COUNTED),
    "an escaped NUL": (event(user=r'"a\u0000b"'), COUNTED),
    "every escape": (event(user=r'"\"\\\/\b\f\n\r\t\u00e9"'), COUNTED),
    "NaN": (with_extra(b"NaN"), MALFORMED),
    "Infinity": (with_extra(b"-Infinity"), MALFORMED),
    "a literal cut short": (with_extra(b"tru"), MALFORMED),
    "a literal too long": (with_extra(b"truex"), MALFORMED),
    "a literal in capitals": (with_extra(b"True"), MALFORMED),
    "a leading zero": (with_extra(b"01"), MALFORMED),
    "a plus sign": (with_extra(b"+1"), MALFORMED),
    "a point without digits": (with_extra(b"1."), MALFORMED),
    "a point in front": (with_extra(b".5"), MALFORMED),
    "an exponent without digits": (with_extra(b"1e"), MALFORMED),
    "a lone minus": (with_extra(b"-"), MALFORMED),
    "a hexadecimal number": (with_extra(b"0x10"), MALFORMED),
    "digits of another script": (with_extra(b"\xd9\xa1"), MALFORMED),
    # The parser's limits
    "1,000 levels": (with_extra(b"[" * 999 + b"]" * 999), COUNTED),
    "1,001 levels": (with_extra(b"[" * 1000 + b"]" * 1000), MALFORMED),
    "1,001 levels of objects": (with_extra(b'{"a":' * 1000 + b"1" + b"}" * 1000), MALFORMED),
    "brackets inside a string": (with_extra(b'"' + b"[" * 5000 + b'"'), COUNTED),
    "brackets behind an escaped quote": (with_extra(b'"\\"' + b"[" * 5000 + b'"'), COUNTED),
    "5,000 arrays side by side": (with_extra(b"[" + b"[]," * 5000 + b"[]]"), COUNTED),
    "a number of 1,000 characters": (with_extra(b"1" * 1000), COUNTED),
    "a number of 1,001 characters": (with_extra(b"1" * 1001), MALFORMED),
    "1,000 digits and a minus": (with_extra(b"-" + b"1" * 1000), MALFORMED),
    "1,000 digits and a point": (with_extra(b"1." + b"1" * 999), MALFORMED),
    "1,001 characters with an exponent, nested": (
        with_extra(b'{"y":[1e' + b"1" * 999 + b"]}"),
        MALFORMED,
    ),
    "a product of 1,001 digits": (event(product="1" * 1001), MALFORMED),
    "1 MB of text": (with_extra(b'"' + b"a" * 1_000_000 + b'"'), COUNTED),
    "1 MB of user": (event(user='"' + "a" * 1_000_000 + '"'), COUNTED),
    "1 MB of escaped quotes, not closed": (b'{"a":"' + b'\\"' * 500_000, MALFORMED),
    "1 MB of garbage": (b"\xfe" * 1_000_000, MALFORMED),
    "a name of 60,000 characters": (GOOD[:-1] + b',"' + b"n" * 60_000 + b'":1}', COUNTED),
    "10,000 names": (
        GOOD[:-1] + b"".join(b',"n%d":%d' % (n, n) for n in range(10_000)) + b"}",
        COUNTED,
    ),
    # Names
    "unknown fields, whatever is in them": (with_extra(b'{"y":[1,2,{"z":"\\ud800"}]}'), COUNTED),
    "an unknown field's name with a surrogate": (GOOD[:-1] + rb',"\ud800":1}', COUNTED),
    "an empty name": (GOOD[:-1] + b',"":1}', COUNTED),
    "an escaped name": (GOOD.replace(b"userId", rb"user\u0049d"), COUNTED),
    "names in other cases": (GOOD.replace(b"userId", b"userid"), MISSING),
    "two equal keys, the last one counts": (
        event(kind='"buy"', more=',"eventType":"view"'),
        COUNTED,
    ),
    "two equal keys, the last one is bad": (event(more=',"timestamp":"abc"'), MALFORMED),
    "two equal keys, the last one is null": (event(more=',"userId":null'), MISSING),
    "two equal keys, the last one is an object": (event(more=',"userId":{}'), MISSING),
    "two equal keys, the first has a surrogate": (
        event(user=r'"\ud800"', more=',"userId":"u"'),
        COUNTED,
    ),
    "two equal unknown keys": (GOOD[:-1] + b',"x":1,"x":2}', COUNTED),
    "fields of an inner object": (b'{"x":' + GOOD + b"}", MISSING),
    # Surrogates
    "a high surrogate alone": (event(user=r'"\ud800"'), MALFORMED),
    "a low surrogate alone": (event(product=r'"\udc00"'), MALFORMED),
    "surrogates the wrong way round": (event(product=r'"\ude00\ud83d"'), MALFORMED),
    "two high surrogates": (event(product=r'"\ud83d\ud83d\ude00"'), MALFORMED),
    "a surrogate in the type": (event(kind=r'"click\ud800"'), MALFORMED),
    "a surrogate in the timestamp": (event(time=r'"\ud800"'), MALFORMED),
    "a surrogate beside a missing field": (event(user=r'"\ud800"', product="null"), MALFORMED),
    "a pair of surrogates": (event(product=r'"\ud83d\ude00"'), COUNTED),
    # Missing fields
    "an empty object": (b"{}", MISSING),
    "one field": (b'{"userId":"m"}', MISSING),
    "all null": (event(user="null", product="null", kind="null", time="null"), MISSING),
    "no user": (event(user="null"), MISSING),
    "no product": (event(product="null"), MISSING),
    "no type": (event(kind="null"), MISSING),
    "no timestamp": (event(time="null"), MISSING),
    "a blank user": (event(user='"  "'), MISSING),
    "an empty product": (event(product='""'), MISSING),
    "a blank type": (event(kind='" "'), MISSING),
    "a blank timestamp": (event(time='"   "'), MISSING),
    "an empty timestamp": (event(time='""'), MISSING),
    "blanks by escape": (event(user=r'"\u0020\u0020"'), MISSING),
    "a tab is not blank": (event(user=r'"\t"'), COUNTED),
    "a no-break space is not blank": (event(user='"\u00a0"'), COUNTED),
    "an object for a user": (event(user='{"a":1}'), MISSING),
    "an array for a product": (event(product='["x"]'), MISSING),
    "an object for a timestamp": (event(time="{}"), MISSING),
    "an array for a timestamp": (event(time="[1764000000000]"), MISSING),
    "missing before unknown": (event(user="null", kind='"buy"'), MISSING),
    "malformed before missing": (event(user="null", time='"abc"'), MALFORMED),
    # Scalars where text is expected
    "a number for a user": (event(user="5"), COUNTED),
    "true for a product": (event(product="true"), COUNTED),
    "false for a product": (event(product="false"), COUNTED),
    "1e3 for a product": (event(product="1e3"), COUNTED),
    "true for a type": (event(kind="true"), UNKNOWN),
    # Types
    "an impression": (event(kind='"impression"'), COUNTED),
    "a view": (event(kind='"view"'), COUNTED),
    "a purchase": (event(kind='"buy"'), UNKNOWN),
    "a type in capitals": (event(kind='"CLICK"'), UNKNOWN),
    "a type with a space": (event(kind='"click "'), UNKNOWN),
    "a type with an escape": (event(kind=r'"cl\u0069ck"'), COUNTED),
    "unknown before future": (event(kind='"buy"', time=str(2**62)), UNKNOWN),
    # Timestamps
    "as text": (event(time=f'"{T}"'), COUNTED),
    "abc": (event(time='"abc"'), MALFORMED),
    "a fraction": (event(time="1764000000000.5"), MALFORMED),
    "a whole fraction": (event(time="1764000000000.0"), MALFORMED),
    "a fraction as text": (event(time='"1.5"'), MALFORMED),
    "an exponent": (event(time="1.764e12"), MALFORMED),
    "an exponent without a point": (event(time="1e3"), MALFORMED),
    "leading zeros as text": (event(time='"007"'), MALFORMED),
    "a plus sign as text": (event(time='"+5"'), MALFORMED),
    "a space in front": (event(time=f'" {T}"'), MALFORMED),
    "a space behind": (event(time=f'"{T} "'), MALFORMED),
    "minus zero": (event(time='"-0"'), MALFORMED),
    "minus zero as a number": (event(time="-0"), MALFORMED),
    "true for a timestamp": (event(time="true"), MALFORMED),
    "false for a timestamp": (event(time="false"), MALFORMED),
    "digits of another script as text": (event(time='"\u0661\u0662"'), MALFORMED),
    "an underscore": (event(time='"1_000"'), MALFORMED),
    "a newline behind": (event(time=rf'"{T}\n"'), MALFORMED),
    "hexadecimal text": (event(time='"0x10"'), MALFORMED),
    "zero": (event(time="0"), OLD),
    "below zero": (event(time="-5"), OLD),
    "23 digits": (event(time="9" * 23), MALFORMED),
    "2^63": (event(time=str(2**63)), MALFORMED),
    "2^63 - 1": (event(time=str(2**63 - 1)), FUTURE),
    "-2^63": (event(time=str(-(2**63))), OLD),
    "-2^63 - 1": (event(time=str(-(2**63) - 1)), MALFORMED),
    "seconds": (event(time="1764000000"), OLD),
    "microseconds": (event(time=f"{T}000"), FUTURE),
    "nanoseconds": (event(time=f"{T}000000"), FUTURE),
    "60 s ahead": (event(time=str(T + 60_000)), COUNTED),
    "60.001 s ahead": (event(time=str(T + 60_001)), FUTURE),
    "7 days old": (event(time=str(T - 604_800_000)), Outcome.LATE),
    "7 days and 1 ms old": (event(time=str(T - 604_800_001)), OLD),
    "far less than 20 s behind the start of its window": (event(time=str(T - 10_000)), COUNTED),
    "20 s behind the start of its window": (event(time=str(T - 10_001)), Outcome.LATE),
}
