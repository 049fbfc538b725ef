"""What a glance must not be misled by: lower bounds, old figures, other hosts, reasons."""

import pytest

from tests import engine_examples as boxes
from tests import examples
from tests.views.draw.test_panels import said
from tokentop.domain.engine_history import Trends
from tokentop.views.tui.draw import banner, engine, engines, header, services, tokens
from tokentop.views.tui.draw.line import Look

LOOK = Look(clock="12:04:31")


@pytest.mark.parametrize("plain", [False, True])
def test_lower_bounds_are_said_wherever_tokens_a_second_are(plain: bool) -> None:
    """An engine that made tokens nobody counted has `at least` before its rates, and the sum too;
    a rate that is whole has none."""
    look, sign = LOOK._replace(ascii=plain), ">=" if plain else "≥"
    snap = boxes.one_engine()
    (one,) = snap.engines
    for drawn in (
        engines.lines(snap, 90, 3, look),
        [engines.summary(snap, look), tokens.summary(snap, look)],
        services.lines(snap, 90, 2, look),
        engine.page(one, Trends(), 100, look),
        tokens.lines(snap, 78, 5, look),
        tokens.lines(snap, 40, 1, look),
        banner.lines(snap, 78, 2, look),
    ):
        assert f"{sign}61" in said(drawn)
    assert "least" in said(banner.lines(snap, 116, 3, look))
    sure = snap._replace(engines=(one._replace(rate_at_least=False),))
    drawn = [*engines.lines(sure, 90, 3, look), *tokens.lines(sure, 78, 5, look)]
    assert sign not in said(drawn)
    wide = snap._replace(engines=(one._replace(generation_tokens_per_s=12345.0),))
    assert f"{sign}12.3k" in said(engines.lines(wide, 90, 3, look))


@pytest.mark.parametrize("width", [22, 30, 40, 60, 80, 120])
@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("unsafe", [False, True])
def test_the_header_always_tells_how_old_the_data_are(
    width: int, paused: bool, unsafe: bool
) -> None:
    """Whatever badges there are; at 80 cells how often it asks and what is up are told as well."""
    look = LOOK._replace(paused=paused, insecure_tls=unsafe)
    text = said(header.lines(examples.stale(), width, 1, look))
    assert "47s" in text
    assert ("PAUSED" in text) == paused or width < 40
    assert ("TLS" in text) == unsafe or width < 40
    if width >= 80:
        assert "every 4s" in text
        assert "0/7" in text
