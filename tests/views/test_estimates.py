"""An estimate carries its sign wherever it is shown, and nothing else does."""

from functools import partial

import pytest

from tests import engine_examples as boxes
from tests.box import row
from tests.serving import NOW, Serving
from tests.views.draw.test_panels import said
from tokentop.config.schema import Config
from tokentop.domain.engines.history import Trends
from tokentop.domain.history import Sample
from tokentop.domain.hosts import HostRow, host_row
from tokentop.domain.snapshot import Snapshot
from tokentop.views import line
from tokentop.views.doctor.engines import sections
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.panels import hosts, tokens, why
from tokentop.views.tui.draw.panels.engines import detail
from tokentop.views.tui.draw.panels.history import charts
from tokentop.views.tui.draw.panels.slots import panel as slots

LOOK = DrawOptions(clock="12:04:31")
GUESSED = Serving(
    "llamacpp", 8080, "tiny", active=12, max_slots=16, queued=0, slots_source="derived",
    kv_cache=0.25, kv_estimated=True,
)  # fmt: skip
MEASURED = GUESSED._replace(slots_source="reported", kv_estimated=False)
FULLER = MEASURED._replace(port=8081, kv_cache=0.6)


def texts(snapshot: Snapshot) -> str:
    """The headline, the line, the slots, the tokens, the reasons, and the doctor."""
    (section, *_) = sections(Config(), snapshot, None)
    drawn = (said(lines(snapshot, 110, 9, LOOK)) for lines in (slots.lines, tokens.lines))
    rows = (one.found for one in section.rows)
    headline = str(snapshot.demand.headline)
    return "\n".join((headline, line.line(snapshot), *drawn, said(why.page(snapshot, 110)), *rows))


def test_every_view_marks_what_is_estimated() -> None:
    text = texts(boxes.box(GUESSED).snapshot())
    for words in ("12/≈16", "of ≈16 slots", "≈4 free", "room for ≈4 more", "KV ≈25%", "≈25%"):
        assert words.lower() in text.lower(), text
    assert text.count("25%") == text.count("≈25%") == 5
    assert "≈" not in texts(boxes.box(MEASURED).snapshot())


def test_the_figure_of_the_fullest_engine_is_what_it_is() -> None:
    """A measured cache that is fuller than an estimated one is no estimate, and the reverse."""
    assert "KV 60%" in line.line(boxes.box(GUESSED, FULLER).snapshot())
    fuller = FULLER._replace(kv_estimated=True)
    assert "KV ≈60%" in line.line(boxes.box(MEASURED, fuller).snapshot())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"queued": 16}, "16 requests wait for tiny, which has ≈16 slots"),
        ({"active": 16}, "all ≈16 slots of tiny are busy"),
        ({"kv_cache": 0.99}, "the KV cache of tiny is ≈99% full"),
    ],
)
def test_reasons_carry_it(changes: dict[str, float], reason: str) -> None:
    """Why a pool is busy is no better known than its slots and its cache."""
    reasons = boxes.box(GUESSED._replace(**changes)).snapshot().demand.reasons
    assert reason in [one.text for one in reasons]


def test_an_alarm_carries_it() -> None:
    full = GUESSED._replace(active=16, queued=20)
    assert line.line(boxes.box(full).snapshot()).startswith("FULL tiny 16/≈16 +20")


def test_plain_text_has_a_stand_in() -> None:
    """A terminal without UTF-8: not a question mark, which says unknown."""
    plain = partial(line.line, paint=line.Paint(ascii=True))
    assert "12/~16" in plain(boxes.box(GUESSED).snapshot())
    bounded = boxes.box(GUESSED._replace(generation=191.0, uncounted=True)).snapshot()
    assert ">191 tok/s" in plain(bounded)
    assert "?" not in plain(bounded)


def test_a_row_and_the_sum_agree() -> None:
    snapshot = boxes.box(GUESSED, FULLER).snapshot()
    assert (row(GUESSED).slots_estimated, row(GUESSED).kv_estimated) == (True, True)
    assert (snapshot.llm.slots_estimated, snapshot.llm.kv_estimated) == (True, False)


BOUNDED = GUESSED._replace(generation=191.0, uncounted=True)


def test_the_present_end_of_an_engines_history_carries_it() -> None:
    trends = Trends((150.0, 191.0), (0, 0), (0.2, 0.25), 8.0)
    rows = said(detail.page(row(BOUNDED), trends, 80, LOOK)).splitlines()
    assert rows[1].split()[-1] == "≥191"
    assert rows[3].split()[-1] == "≈25%"


def test_the_present_end_of_the_history_carries_it() -> None:
    """The value under a cursor, and the end of a stretch of the past, were not kept with a sign."""
    snapshot = boxes.box(BOUNDED).snapshot()
    now = charts.Period((Sample(NOW, kv_cache=0.25, tokens_per_s=191.0),), NOW)

    def summary(measure: str, period: charts.Period) -> str:
        return said([charts.panel(measure, "chart", period).summary(snapshot, LOOK)])

    assert summary("tokens", now) == "now ≥191"
    assert summary("kv", now) == "now ≈25%"
    assert summary("ttft", now) == "now —"
    assert summary("kv", now._replace(cursor=NOW)).endswith(" 25%")
    assert summary("kv", now._replace(span_s=86400.0)).endswith(" 25%")


def test_a_table_of_hosts_carries_it() -> None:
    """In the host's row and in the sums over all; a host that is silent bounds no sum."""
    bounded = host_row("http://a", "a", boxes.box(BOUNDED).snapshot())
    whole = host_row("http://b", "b", boxes.box(MEASURED._replace(generation=50.0)).snapshot())
    shown = said(hosts.lines(Snapshot(), 110, 9, LOOK._replace(fleet=(bounded, whole))))
    assert "≥241 tok/s" in shown
    assert " ≥191 " in shown
    assert "  50 " in shown
    silent = bounded._replace(problem="nothing listens there")
    shown = said(hosts.lines(Snapshot(), 110, 9, LOOK._replace(fleet=(silent, whole))))
    assert "  50 tok/s" in shown


def test_a_load_and_a_cost_that_are_bounds_say_so() -> None:
    row = HostRow("http://a", "a", load=0.8, cost=2.0, load_at_least=True, cost_at_least=True)
    shown = said(hosts.lines(Snapshot(), 110, 9, LOOK._replace(fleet=(row,))))
    assert " ≥80% " in shown
    assert shown.count("≥$2.00") == 2
