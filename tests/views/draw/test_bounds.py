"""Costs that lack electricity say so, and the server that tells of engines is not one of them."""

import re

import pytest

from tests import engine_examples as boxes
from tests.box import Box
from tests.serving import Serving
from tests.views.draw.test_panels import said
from tokentop.domain.policy import CostPolicy, Policy
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Engine
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.layout_inputs import engines_online
from tokentop.views.tui.draw.panels import costs, header, services, tokens

LOOK = DrawOptions(clock="12:04:31")
# It serves, and does not tell its tokens.
HIDES_TOKENS = Serving("ollama", 11434, "phi-5", active=1)


def machine(*engines: Serving, metered: bool) -> Snapshot:
    """An owned machine; where it is not `metered`, one of its GPUs does not tell its watts."""
    gpus = boxes.held_gpus()
    last = gpus[-1] if metered else gpus[-1]._replace(power_w=None)
    box = boxes.box(boxes.QWEN, boxes.GEMMA, *engines, policy=boxes.OWNED)
    return box.gpus(*gpus[:-1], last).snapshot()


def prices(text: str) -> list[str]:
    """Every amount with the two characters before it."""
    return re.findall(r"(..)\$[0-9]", text)


@pytest.mark.parametrize(("plain", "sign"), [(False, "≥"), (True, ">=")])
def test_costs_without_their_electricity_are_lower_bounds(plain: bool, sign: str) -> None:
    """In every face of the tokens panel, in its summary and beside each figure's name."""
    options, snap = LOOK._replace(ascii=plain), machine(metered=False)
    assert prices(said([tokens.summary(snap, options)]))
    for width, height in ((116, 6), (78, 6), (78, 2), (40, 12), (60, 1)):
        options = options._replace(summary_hidden=height <= 2)  # else the prices stand there
        found = prices(said(tokens.lines(snap, width, height, options)))
        assert found
        assert all(before.endswith(sign) for before in found)
    heads = [line for line in costs.page(snap, 100, options) if line and line[0][1] == "title"]
    assert [before.endswith(sign) for before in prices(said(heads))] == [True] * 4
    assert sign not in said(tokens.lines(machine(metered=True), 116, 6, options))


def test_a_price_that_also_lacks_tokens_is_no_lower_bound() -> None:
    """Money and tokens missing pull a token's price both ways; without the former it is at most."""
    found = prices(said(tokens.lines(machine(HIDES_TOKENS, metered=False), 150, 6, LOOK)))
    assert [before[1] for before in found] == ["≥", "≈", "≈", "≈"]
    found = prices(said(tokens.lines(machine(HIDES_TOKENS, metered=True), 150, 6, LOOK)))
    assert [before[1] for before in found] == [" ", "≤", "≤", "≤"]
    plain = tokens.lines(machine(HIDES_TOKENS, metered=True), 150, 6, LOOK._replace(ascii=True))
    assert prices(said(plain)) == ["  ", "<=", "<=", "<="]


def test_a_price_without_gpus_asks_for_their_number() -> None:
    """Where the figure would stand, and in a sentence beside how it is computed."""
    policy = Policy(cost=CostPolicy(usd_per_gpu_hour=2.5))
    snap = Box(policy=policy).engines(boxes.QWEN).snapshot()
    for width, height in ((116, 6), (78, 6), (40, 12)):
        assert "set cost.gpus" in said(tokens.lines(snap, width, height, LOOK))
    page = " ".join(said(costs.page(snap, 100, LOOK)).split())
    assert "set gpus in [cost] to how many you pay for" in page


def test_the_costs_page_names_who_reports_no_tokens() -> None:
    """The engine, for how long, and what it means for the figures above."""
    page = said(costs.page(machine(HIDES_TOKENS, metered=True), 100, LOOK))
    assert "unknown for" in page
    assert "a token really costs less" in page


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
