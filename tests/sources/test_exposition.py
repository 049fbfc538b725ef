"""The scanner of metrics pages: right on real pages, unmoved by hostile ones."""

import math
import re
import time
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.payloads import PAGES, payload
from tokentop.sources.exposition import number, parse, parse_line
from tokentop.sources.metrics_page import LARGEST, Page

Key = tuple[str, frozenset[tuple[str, str]], float]


def names_in(body: bytes) -> tuple[str, ...]:
    """What may be the name of a series, in the order of the page."""
    found = re.findall(r"(?m)^[ \t]*([a-zA-Z_:][\w:]*)", body.decode("utf-8", "replace"))
    return tuple(dict.fromkeys(found))


def ours(page: Page, names: Iterable[str]) -> Counter[Key]:
    return Counter(
        (name, frozenset(s.labels.items()), s.value) for name in names for s in page.samples(name)
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
    assert all(part.samples(n) == everything.samples(n) for n in some)
    assert not any(part.has(name) for name in names if name not in some)


@pytest.mark.parametrize(
    ("selector", "total"),
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
def test_a_selector_chooses_as_prometheus_does(selector: str, total: float | None) -> None:
    """Expressions match whole values, and a label that is missing is empty."""
    lines = 'f{err="over"} 1', 'f{err="overload",method="x"} 2', 'f{err="generate"} 4', "f 8"
    page = parse(("\n".join(lines) + "\n").encode())
    assert page.total(f"f{selector}") == total


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
        (sample,) = parse(line.encode(), wanted).samples(name)
        assert sample.labels == labels
        assert sample.value == value


@given(st.binary(max_size=400))
def test_never_raises(body: bytes) -> None:
    """No bytes stop the scanner, nor anything asked of what it read."""
    page = parse(body)
    for name in names_in(body):
        page.total(name), page.highest(name), page.by_label(name, "le"), page.histogram(name)


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
    assert page.total("before") == 1
    assert page.total("after") == 2
    page.histogram("a")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("m 1", 1.0),
        ("m\t1", 1.0),
        ("  m 1", 1.0),
        ("m {} 1", 1.0),
        ('m{a="}"} 1', 1.0),
        ('m{a="x",} 1', 1.0),
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
    assert parse(body).total("m") == parse(body, frozenset("m")).total("m") == expected


def test_a_cut_last_line_is_dropped() -> None:
    """`m 12` cut from `m 123` would be a false value."""
    page = parse(b"a 1\nm 12")
    assert (page.has("a"), page.has("m")) == (True, False)


def test_a_bad_line_costs_that_line() -> None:
    """What stands around it is read."""
    page = parse(b'a 1\nb{x="\xff\xfe"} 2\n\x00\x01 nonsense {{{\nc 3\n# EOF\n')
    assert (page.total("a"), page.total("b"), page.total("c")) == (1, 2, 3)


def test_missing_is_unknown() -> None:
    """A series that is not there has no total, no maximum and no histogram."""
    page = parse(b"a 1\n")
    assert page.total("b") is None
    assert page.highest("b") is None
    assert page.histogram("b") is None
    assert page.by_label("b", "x") == {}


def test_huge_values_never_overflow() -> None:
    """Numbers without bound are not measurements, so that no sum of them can raise."""
    page = parse(b'm{a="1"} 1e308\nm{a="2"} 1e308\nm{a="3"} 4\n')
    assert page.total("m") == 4


def test_histograms_merge_over_label_sets() -> None:
    """Buckets of several label sets add up by their bound, +Inf last."""
    page = parse(
        b'h_bucket{e="0",le="1"} 2\nh_bucket{e="0",le="+Inf"} 3\nh_sum{e="0"} 5\nh_count{e="0"} 3\n'
        b'h_bucket{e="1",le="1.0"} 1\nh_bucket{e="1",le="+Inf"} 1\nh_sum{e="1"} 1\n'
        b'h_count{e="1"} 1\n'
    )
    found = page.histogram("absent", "h")
    assert found is not None
    assert found.buckets == ((1.0, 3.0), (math.inf, 4.0))
    assert (found.total, found.observations) == (6.0, 4.0)


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
