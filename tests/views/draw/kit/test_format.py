"""What a glance must not be misled by: lower bounds, old figures, other hosts, reasons."""

import socket
import ssl
from collections.abc import Callable

import pytest

from tests import engine_examples as boxes
from tests import examples
from tests.views.draw.composed import panel_lines
from tests.views.draw.test_exact import check
from tests.views.draw.test_panels import said
from tokentop.domain.engines.history import Trends
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import FailureKind
from tokentop.domain.snapshot import Service, Snapshot
from tokentop.light_typing import get_args
from tokentop.transport.http.failures import failure_for_exception, failure_for_status
from tokentop.views.tui.draw.kit.format import rate
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.draw.layout_inputs import layout_inputs
from tokentop.views.tui.draw.panels import banner, economy, header, metrics, services, tokens
from tokentop.views.tui.draw.panels.engines import detail as engine
from tokentop.views.tui.draw.panels.engines import table as engines
from tokentop.views.tui.draw.panels.gpus import panel as gpus
from tokentop.views.tui.draw.panels.gpus.rows import foreign
from tokentop.views.tui.draw.registry import DASHBOARD, dashboard

LOOK = DrawOptions(clock="12:04:31")
URL = "https://gpu-box:8001/x"


def _expired() -> ssl.SSLError:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code = 10
    return error


@pytest.mark.parametrize("plain", [False, True])
def test_lower_bounds_are_said_wherever_tokens_a_second_are(plain: bool) -> None:
    """An engine that made tokens nobody counted has `at least` before its rates, and the sum too;
    a rate that is whole has none."""
    options, sign = LOOK._replace(ascii=plain), ">=" if plain else "≥"
    snap = boxes.one_engine()
    (one,) = snap.engines
    for drawn in (
        engines.lines(snap, 90, 3, options),
        [engines.summary(snap, options), tokens.summary(snap, options)],
        services.lines(snap, 90, 2, options),
        engine.page(one, Trends(), 100, options),
        tokens.lines(snap, 78, 5, options),
        tokens.lines(snap, 40, 1, options),
        banner.lines(snap, 78, 2, options),
    ):
        assert f"{sign}61" in said(drawn)
    assert "least" in said(banner.lines(snap, 116, 3, options))
    sure = snap._replace(engines=(one._replace(rate_at_least=False),))
    drawn = [*engines.lines(sure, 90, 3, options), *tokens.lines(sure, 78, 5, options)]
    assert sign not in said(drawn)
    wide = snap._replace(engines=(one._replace(generation_tokens_per_s=12345.0),))
    assert f"{sign}12.3k" in said(engines.lines(wide, 90, 3, options))


@pytest.mark.parametrize("width", [22, 30, 40, 60, 80, 120])
@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("unsafe", [False, True])
def test_the_header_always_tells_how_old_the_data_are(
    width: int, paused: bool, unsafe: bool
) -> None:
    """Whatever badges there are; at 80 cells how often it asks and what is up are told as well."""
    options = LOOK._replace(paused=paused, insecure_tls=unsafe)
    text = said(header.lines(examples.silent(), width, 1, options))
    assert "47s" in text
    assert ("PAUSED" in text) == paused or width < 40
    assert ("TLS" in text) == unsafe or width < 40
    if width >= 80:
        assert "every 4s" in text
        assert "0/7" in text


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (failure_for_exception(ConnectionRefusedError(), URL, 2.0), "refused"),
        (failure_for_exception(TimeoutError(), URL, 2.0), "timeout"),
        (failure_for_exception(ConnectionResetError(), URL, 2.0), "cut off"),
        (failure_for_exception(socket.gaierror(), URL, 2.0), "no such host"),
        (failure_for_exception(OSError(113, "x"), URL, 2.0), "no route"),
        (failure_for_exception(ssl.SSLError(1, "x"), URL, 2.0), "TLS failed"),
        (failure_for_exception(_expired(), URL, 2.0), "TLS expired"),
        (failure_for_status(500, URL), "HTTP 5xx"),
        (failure_for_status(404, URL), "HTTP 404"),
        (failure_for_status(401, URL), "needs a token"),
        (failure_for_status(403, URL, with_token=True), "token refused"),
        (Failure("bad-data", "unusable values in used_mb"), "bad data"),
    ],
)
def test_every_failure_has_a_short_word(error: Failure, word: str) -> None:
    """The kind of a transport's failure, as one or two words in the strip."""
    state = "bad-data" if error.kind == "bad-data" else "offline"
    row = Service("genesis", "aither", URL, state, error=error.text, reason=error.kind, member=True)
    snap = Snapshot(services=(row,))
    assert word in said(services.lines(snap, 116, 2, LOOK))


def test_every_kind_of_failure_has_a_word() -> None:
    """A kind without one would cost the whole strip."""
    for kind in get_args(FailureKind):
        row = Service("genesis", "aither", URL, "offline", error="x", reason=kind, member=True)
        assert said(services.lines(Snapshot(services=(row,)), 196, 2, LOOK)).count("offline: ") == 1


def test_a_silent_service_says_why_where_there_is_room() -> None:
    """On a large screen the reason; on a small one the state; one backing off keeps its age."""
    snap = examples.troubled()
    rows = {s.name: s for s in snap.services}
    rows["compute"] = rows["compute"]._replace(reason="refused")
    rows["parallel"] = rows["parallel"]._replace(age_s=121.0, reason="server-error")
    snap = snap._replace(services=tuple(rows.values()))
    large, small = (said(services.lines(snap, w, 2, LOOK)) for w in (116, 78))
    assert "refused" in large
    assert "HTTP 5xx 2m" in large
    assert "offline: refused" in said(services.lines(snap, 196, 2, LOOK))
    assert "backing-off 2m: HTTP 5xx" in said(services.lines(snap, 196, 2, LOOK))
    assert "offline" in small
    assert "refused" not in small
    assert "backoff" in small


def _two_hosts() -> Snapshot:
    snap = examples.low()
    there = tuple(
        g._replace(uuid=f"far-{g.index}", node="gpu-box-02.example.org", source="prometheus")
        for g in snap.gpus[:2]
    )
    return snap._replace(gpus=(*snap.gpus[:2], *there))


def test_gpus_of_another_host_are_told_apart() -> None:
    """Two GPUs 0: the other host's one has its short name, this host's has none."""
    rows = said(gpus.lines(_two_hosts(), 78, 6, LOOK)).splitlines()
    assert ["gpu-box-02" in row for row in rows[:4]] == [False, False, True, True]
    assert "example" not in "".join(rows)
    assert "gpu-box" not in said(gpus.lines(examples.low(), 78, 8, LOOK))
    assert len({row.index("/140.4") for row in rows[:4]}) == 1


@pytest.mark.parametrize("width", [20, 30, 40, 58, 78, 116])
def test_the_gpus_view_names_other_hosts_at_every_width(width: int) -> None:
    """There the host matters more than the card's name."""
    drawn = gpus.lines(_two_hosts(), width, 6, LOOK._replace(hosts=True))
    assert said(drawn).count("gpu-box") == 2
    check(drawn, width, 6)


def test_hosts_that_begin_alike_keep_their_whole_names() -> None:
    """`a.x` and `a.y` are both `a` when cut; addresses are never cut."""
    far = [examples.gpu(0, 1)._replace(node=n) for n in ("a.x", "a.y", "me")]
    assert foreign(far, "me") == {"a.x": "a.x", "a.y": "a.y"}
    near = [examples.gpu(0, 1)._replace(node=n) for n in ("10.0.0.1", "10.0.0.2", None)]
    assert foreign(near, "me") == {"10.0.0.1": "10.0.0.1", "10.0.0.2": "10.0.0.2"}


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12)])
@pytest.mark.parametrize("plain", [False, True])
def test_old_figures_say_their_age_without_colour(size: tuple[int, int], plain: bool) -> None:
    """Slots, multiplier, metrics, cloud and economy: each has the age in its own room, and it
    goes on between polls."""
    snap, options = examples.stale(), LOOK._replace(ascii=plain)
    wanted = {"slots", "multiplier", "metrics", "cloud", "economy"}
    found = [p for p in dashboard(*size, layout_inputs(snap, options)) if p.panel in wanted]
    assert {"slots", "multiplier", "metrics"} <= {p.panel for p in found}
    for place in found:
        assert "47s" in said(panel_lines(snap, place, options)), place
        assert "52s" in said(panel_lines(snap, place, options._replace(elapsed_s=5.0))), place
        assert DASHBOARD[place.panel].ticks(snap)
        assert "old" not in said(panel_lines(examples.surge(), place, options))


def test_only_what_is_old_says_so() -> None:
    """The mint alone is silent: its figures have the age, those beside it have none."""
    snap = examples.troubled()
    line = said(economy.lines(snap, 78, 1, LOOK))
    assert "pool 12s old" in line
    assert line.count("old") == 1
    assert "free 12s" in said(metrics.lines(snap, 38, 1, LOOK))
    assert said(metrics.lines(snap, 78, 1, LOOK)).count("12s old") == 1


def test_the_compact_strip_says_how_old_it_is() -> None:
    """It has no frame to say it in."""
    place = Placement("strip", 0, 0, 60, 6)
    text = said(panel_lines(examples.stale(), place, LOOK))
    assert text.count("47s old") >= 2


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("build", [boxes.engines, boxes.one_engine, boxes.troubled_engines,
                                   boxes.fleet])  # fmt: skip
def test_engines_are_listed_once(size: tuple[int, int], build: Callable[[], Snapshot]) -> None:
    """The strip stands where the table does not show every engine, and only there."""
    snap = build()
    places = {p.panel: p for p in dashboard(*size, layout_inputs(snap, LOOK))}
    table = places.get("engines")
    whole = table is not None and "opens them all" not in said(panel_lines(snap, table, LOOK))
    assert ("services" in places) != whole
    if build in (boxes.engines, boxes.one_engine):
        assert whole


def test_a_hidden_table_leaves_the_strip() -> None:
    """Who hides the table still sees the engines named."""
    options = LOOK._replace(hidden=frozenset({"engines"}))
    assert "services" in {
        p.panel for p in dashboard(120, 40, layout_inputs(boxes.engines(), options))
    }


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (99_949, "99.9k"),
        (99_950, "100k"),
        (279_210, "279k"),
        (999_499, "999k"),
        (999_500, "1000k"),
        (999_950, "1M"),
        (1_100_000, "1.1M"),
    ],
)
def test_the_rate_of_a_fleet_fits_its_cells(value: float, words: str) -> None:
    """Three digits are enough from a hundred thousand on; the banner's large digits have room."""
    assert rate(value) == words
