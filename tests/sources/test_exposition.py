"""The scanner of metrics pages: right on real pages, unmoved by hostile ones."""

import math
import re
import time
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.payloads import PAGES, payload
from tokentop.sources.exposition import parse
from tokentop.sources.exposition_line import number, parse_line
from tokentop.sources.figures import Figures
from tokentop.sources.json_fields import LARGEST
from tokentop.sources.metrics_page import Page

Key = tuple[str, frozenset[tuple[str, str]], float]


def names_in(body: bytes) -> tuple[str, ...]:
    """What may be the name of a series, in the order of the page."""
    found = re.findall(r"(?m)^[ \t]*([a-zA-Z_:][\w:]*)", body.decode("utf-8", "replace"))
    return tuple(dict.fromkeys(found))


def total(page: Page, name: str) -> float | None:
    return Figures(page).amount("figure", name)


def ours(page: Page, names: Iterable[str]) -> Counter[Key]:
    return Counter(
        (name, frozenset(s.labels.items()), s.value)
        for name in names
        for s in page.all(name)
        if abs(s.value) <= LARGEST
    )


def theirs(text: str, known: set[str]) -> Counter[Key]:
    """The library's reading; it appends _total to counters that have none."""
    samples: Counter[Key] = Counter()
    for family in text_string_to_metric_families(text):
        for s in family.samples:
            bare = s.name.removesuffix("_total")
            name = s.name if s.name in known else bare
            if abs(s.value) <= LARGEST:
                samples[name, frozenset(s.labels.items()), s.value] += 1
    return samples


@pytest.mark.parametrize("name", PAGES)
def test_agrees_with_the_library_on_captured_pages(name: str) -> None:
    """Every finite sample of a real page is read as prometheus_client's parser reads it."""
    body = payload(name)
    names = names_in(body)
    assert ours(parse(body), names) == theirs(body.decode(), set(names))
    assert len(names) > 10


@pytest.mark.parametrize("name", PAGES)
def test_wanting_some_changes_nothing_about_them(name: str) -> None:
    """Reading only the wanted series gives the same samples of those as reading all."""
    body = payload(name)
    everything, names = parse(body), names_in(body)
    some = frozenset(names[::3])
    part = parse(body, some)
    for name in names:
        wanted = everything.all(name) if name in some else []
        assert [s for s in part.all(name) if s.value == s.value] == [
            s for s in wanted if s.value == s.value
        ]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("", 15),
        ('{err="over"}', 1),
        ('{err!="over"}', 14),
        ('{err=~"over|gen.*"}', 5),
        ('{err=~"o"}', None),
        ('{err!~"over.*",method=""}', 12),
        ('{err="over",method="x"}', None),
        ('{err=""}', 8),
    ],
)
def test_a_selector_chooses_as_prometheus_does(selector: str, expected: float | None) -> None:
    """Expressions match whole values, and a label that is missing is empty."""
    lines = 'f{err="over"} 1', 'f{err="overload",method="x"} 2', 'f{err="generate"} 4', "f 8"
    page = parse(("\n".join(lines) + "\n").encode())
    assert total(page, f"f{selector}") == expected


LABEL_VALUE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12
)
NAME = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
LABEL = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,6}", fullmatch=True)
FINITE = st.floats(-1e15, 1e15)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@given(
    NAME,
    st.dictionaries(LABEL, LABEL_VALUE, max_size=5),
    FINITE,
    st.sampled_from(["", " 17", ' 17 # {a="b"} 3 1.5']),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read(
    name: str, labels: dict[str, str], value: float, tail: str, end: str
) -> None:
    """Any sample in the format, with timestamp, exemplar or CRLF, comes back as it was."""
    inside = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
    line = f"{name}{{{inside}}} {value!r}{tail}{end}" if labels else f"{name} {value!r}{tail}{end}"
    for wanted in (None, frozenset((name,))):
        (sample,) = parse(line.encode(), wanted).all(name)
        assert sample.labels == labels
        assert sample.value == value


NEAR_BOUND = st.sampled_from(["le", "l", "e", "role", "le_", "a"])
NEAR_TEXT = ['"', "\\", ",", "le=", 'le="', ',le="1"', "}", "{", " ", "0.5", "+Inf"]
NEAR_VALUE = st.lists(st.sampled_from(NEAR_TEXT), max_size=4).map("".join)


@given(
    st.dictionaries(NEAR_BOUND, NEAR_VALUE, min_size=2, max_size=5),
    st.sampled_from([",", ", ", " ,", ",,", ";", " ", ""]),
    st.sampled_from(["", ",", ", "]),
)
@example({"a": "x,le=", "b": ",z"}, ",", "")
@example({"a": '",le=', "b": ",z"}, ",", "")
@example({"le": "1", "a": "x"}, ";", "")
def test_a_bound_is_a_label_and_no_part_of_a_value(
    labels: dict[str, str], between: str, behind: str
) -> None:
    """Wherever `le` stands and whatever the values look like; what separates nothing is no line."""
    inside = between.join(f'{key}="{escaped(text)}"' for key, text in labels.items()) + behind
    page = parse(f"m{{{inside}}} 1\nm{{{inside}}} 2\n".encode())
    expected = [labels, labels] if between.strip() == "," else []
    assert [sample.labels for sample in page.all("m")] == expected
    assert page.is_damaged("m") == (not expected)
    others = {sample.key for sample in page.all("m")}
    without = ",".join(f'{k}="{escaped(text)}"' for k, text in labels.items() if k != "le")
    alone = parse(f'm{{le="7",{without}}} 1\n'.encode()).all("m")
    assert not expected or others == {sample.key for sample in alone}


def test_more_series_than_are_kept_are_right_at_every_poll() -> None:
    """Hundreds of servers, or one whose label sets never come twice."""
    for first in (0, 10_000, 0, 20_000, 0):
        lines = (f'm{{a="{row}",le="{row}.5"}} {row}\n' for row in range(first, first + 10_000))
        found = parse("".join(lines).encode()).all("m")
        assert [(s.labels["a"], s.labels["le"], s.value) for s in found] == [
            (f"{row}", f"{row}.5", float(row)) for row in range(first, first + 10_000)
        ]


@given(st.binary(max_size=400))
def test_never_raises(body: bytes) -> None:
    """No bytes stop the scanner, nor anything asked of what it read."""
    figures = Figures(parse(body))
    for name in names_in(body):
        figures.amount("a", name), figures.ratio("b", name), figures.histograms("c", name)


FRAGMENTS = st.lists(
    st.sampled_from(
        ['a_bucket{le="', '"', "}", "{", "\\", " ", "\t", "1", "+Inf", "NaN", "1e308", "\n", "#",
         "a_bucket", ",", "=", "le", "-", "\r", "\u2028", "1_0"]
    ),
    max_size=60,
)  # fmt: skip


@given(FRAGMENTS)
def test_never_raises_near_the_format(parts: list[str]) -> None:
    """Broken pieces of the format cost at most their lines."""
    good = "before 1\n", '\nafter{x="y"} 2\n'
    page = parse((good[0] + "".join(parts) + good[1]).encode())
    assert total(page, "before") == 1
    assert total(page, "after") == 2
    Figures(page).histograms("figure", "a")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("m 1", 1.0),
        ("m\t1", 1.0),
        ("  m 1", 1.0),
        ("m {} 1", 1.0),
        ('m{a="}"} 1', 1.0),
        ('m{a="x",} 1', 1.0),
        ('m{le="1",a="x",le="1"} 1', None),
        ('m{ a = "x" , b="y" } 1', 1.0),
        ('m 1 # {trace_id="x"} 0.5', 1.0),
        ("m 1 1520879607789", 1.0),
        ("m +1.5e3", 1500.0),
        ("m .5", 0.5),
        ("m NaN", None),
        ("m Nan", None),
        ("m +Inf", None),
        ("m 9.223372036854776e+18", None),
        ("m 1_000", None),
        ("m 0x10", None),
        ("m", None),
        ("m one", None),
        ("m 1 2 3", None),
        ("m{a=x} 1", None),
        ('m{a="x"', None),
        ('m{a="x"} ', None),
        ('{"m"} 1', None),
        ("m ١", None),
    ],
)
def test_lines(line: str, expected: float | None) -> None:
    """One line of each kind: what is no finite measurement is unknown, not 0."""
    body = f"{line}\n".encode()
    assert total(parse(body), "m") == total(parse(body, frozenset("m")), "m") == expected


def test_a_cut_last_line_is_dropped() -> None:
    """`m 12` cut from `m 123` would be a false value."""
    page = parse(b"a 1\nm 12")
    assert (total(page, "a"), total(page, "m")) == (1, None)


def test_a_bad_line_costs_that_line() -> None:
    """What stands around it is read."""
    page = parse(b'a 1\nb{x="\xff\xfe"} 2\n\x00\x01 nonsense {{{\nc 3\n# EOF\n')
    assert (total(page, "a"), total(page, "b"), total(page, "c")) == (1, 2, 3)


def test_missing_is_unknown() -> None:
    """A series that is not there has no total, no maximum and no histogram, and none is bad."""
    figures = Figures(parse(b"a 1\n"))
    assert (figures.amount("x", "b"), figures.ratio("x", "b")) == (None, None)
    assert (figures.sets("x", "b"), figures.histograms("x", "b")) == ((), ())
    assert figures.bad == ()


def test_huge_values_never_overflow() -> None:
    """Numbers without bound are not measurements: no sum has them, and none is called whole."""
    figures = Figures(parse(b'm{a="1"} 1e308\nm{a="2"} 1e308\nm{a="3"} 4\n'))
    assert figures.amount("queued", "m") is None
    assert [value for _, value in figures.sets("queued", "m")] == [4]
    assert figures.bad == ("queued",)


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        ((b'm{a="1"} 3', b'm{a="1"} 3'), ()),  # twice the same says nothing else
        ((b'm{a="1",b="2"} 3', b'm{b="2",a="1"} 4'), ("queued",)),
        ((b'm{a="1"} 3', b'm{a="2"} -1'), ("queued",)),
        ((b'm{a="1"} 3', b'm{a="2"} NaN'), ("queued",)),
        ((b'm{a="1"} 3', b'm{a="2"} -Inf'), ("queued",)),
        ((b'm{a="1"} 3', b'm{a="2"} x'), ("queued",)),
        ((b'm{a="1"} 3', b'm{a="2",a="3"} 1'), ("queued",)),
    ],
)
def test_a_sum_lacks_no_part_in_silence(lines: tuple[bytes, ...], bad: tuple[str, ...]) -> None:
    """One unusable or repeated label set: the gauge is unknown and named."""
    figures = Figures(parse(b"\n".join(lines) + b"\n"))
    assert figures.count("queued", "m") == (None if bad else 3)
    assert figures.bad == bad


@pytest.mark.parametrize(
    ("value", "share", "bad"),
    [("0.25", 0.25, ()), ("1", 1.0, ()), ("1.002", 1.0, ()), ("1.4", None, ("kv_cache",)),
     ("-0.1", None, ("kv_cache",)), ("NaN", None, ("kv_cache",))],
)  # fmt: skip
def test_a_ratio_is_between_0_and_1(value: str, share: float | None, bad: tuple[str, ...]) -> None:
    """Rounding above 1 is forgiven; 140 % is no ratio."""
    figures = Figures(parse(f"m {value}\n".encode()))
    assert (figures.ratio("kv_cache", "m"), figures.bad) == (share, bad)


def test_histograms_are_kept_by_label_set() -> None:
    """Each with its buckets in rising order, +Inf last; a damaged one is left out and named."""
    page = parse(
        b'h_bucket{e="0",le="1"} 2\nh_bucket{e="0",le="+Inf"} 3\nh_sum{e="0"} 5\nh_count{e="0"} 3\n'
        b'h_bucket{e="1",le="1.0"} 1\nh_bucket{e="1",le="+Inf"} 1\nh_sum{e="1"} 1\n'
        b'h_count{e="1"} 1\n'
    )
    found = Figures(page).histograms("ttft", "absent", "h")
    assert [each.buckets for each in found] == [
        ((1.0, 2.0), (math.inf, 3.0)),
        ((1.0, 1.0), (math.inf, 1.0)),
    ]
    page = parse(
        b'h_ms_bucket{e="0",le="500"} 2\nh_ms_bucket{e="0",le="+Inf"} 3\n'
        b'h_ms_bucket{e="1",le="500"} NaN\nh_ms_bucket{e="1",le="+Inf"} 1\n'
    )
    figures = Figures(page)
    (milliseconds,) = figures.histograms("ttft", "h_ms")
    assert milliseconds.buckets == ((0.5, 2.0), (math.inf, 3.0))
    assert figures.bad == ("ttft",)


@given(st.text(max_size=12))
def test_numbers_are_those_of_float_and_no_others(text: str) -> None:
    """Whatever is accepted as a number is one to Python too."""
    found = number(text)
    if found is not None:
        assert math.isnan(found) or found == float(text)


HOSTILE = {
    "labels": lambda n: "m{" + 'a="b",' * n + "} 1\n",
    "open": lambda n: "m{" + 'a="b",' * n,
    "quotes": lambda n: 'm{a="' + '\\"' * n + "\n",
    "spaces": lambda n: "m" + " " * 4 * n + "x\n",
    "braces": lambda n: "m" + "{" * 4 * n + "\n",
    "digits": lambda n: "m " + "1" * 4 * n + "\n",
    "comments": lambda n: "#\n" * 2 * n,
    "names": lambda n: "m:" * 2 * n + "\n",
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_linear_on_hostile_lines(shape: str) -> None:
    """Sixteen times the input costs nowhere near sixteen squared times the work."""

    def cost(n: int) -> float:
        body = HOSTILE[shape](n).encode()
        times = []
        for _ in range(5):
            started = time.process_time()
            parse(body)
            parse_line(body.decode())
            times.append(time.process_time() - started)
        return min(times)

    assert cost(160_000) < 16 * 4 * cost(10_000) + 0.05
