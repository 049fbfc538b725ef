"""Costs that lack electricity say so, and the server that tells of engines is not one of them."""

import pytest

from tests import engine_examples as boxes
from tests.views.draw.test_panels import said
from tokentop.domain.snapshot_engines import Engine
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.layout_inputs import engines_online
from tokentop.views.tui.draw.panels import costs, header, services, tokens

LOOK = DrawOptions(clock="12:04:31")
SHORT = boxes.COST._replace(rate_at_least=True, reserved_at_least=True, busy_at_least=True)


@pytest.mark.parametrize(("plain", "sign"), [(False, "≥"), (True, ">=")])
def test_costs_without_their_electricity_are_lower_bounds(plain: bool, sign: str) -> None:
    """In every face of the tokens panel, in its summary and on the page of costs."""
    options, snap = LOOK._replace(ascii=plain), boxes.priced()._replace(cost=SHORT)
    for width, height in ((116, 6), (78, 6), (78, 2), (40, 12), (60, 1)):
        assert f"{sign}$19.20" in said(tokens.lines(snap, width, height, options))
    assert f"{sign}$19.20" in said([tokens.summary(snap, options)])
    text = said(costs.page(snap, 100, options)) + said(tokens.lines(snap, 116, 6, options))
    for words in ("$19.20", "$4.15", "$3.02", "$1.87"):
        assert text.count(sign + words) == text.count(words) > 0
    assert sign not in said(tokens.lines(boxes.priced(), 116, 6, options))


def test_a_price_that_also_lacks_tokens_is_no_lower_bound() -> None:
    """Money and tokens missing pull a token's price both ways: only the hour keeps its sign."""
    snap = boxes.priced()._replace(cost=SHORT._replace(partial=True))
    text = said(tokens.lines(snap, 116, 6, LOOK))
    assert "≥$19.20" in text
    assert "≥$4.15" not in text


def test_the_prometheus_server_is_no_engine() -> None:
    """Its row is listed, and counted neither among those there are nor among those online."""
    server = Engine("prometheus@p:9090", "prometheus", "http://p:9090", state="online")
    snap = boxes.engines()
    more = snap._replace(engines=(*snap.engines, server))
    assert engines_online(more) == engines_online(snap) == (3, 3)
    assert "3/3 engines" in said(header.lines(more, 120, 1, LOOK))
    fleet = boxes.fleet()
    assert services.lines(fleet, 90, 1, LOOK) == services.lines(
        fleet._replace(engines=(*fleet.engines, server)), 90, 1, LOOK
    )
