"""Which screens have goldens: every state and view at the sizes where they differ, as text; those
in which a threshold or a state changes nothing but a colour, with their styles as well."""

from collections.abc import Callable, Iterator
from functools import cache, partial

from tests import engine_examples, examples, gpu_pages, ledger_examples
from tests.box import WALL, Box, device
from tests.serving import NOW, Serving
from tests.views.draw.composed import composed, model, styled, text
from tests.views.draw.samples import samples
from tokentop.config.schema import UiConfig
from tokentop.domain.engines.history import EngineHistory, Trends
from tokentop.domain.hosts import HostRow, host_row
from tokentop.domain.ledger.listing import Page
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.verdict.values import Event
from tokentop.views.tui.draw.kit.line import DrawOptions, Line
from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.registry import dashboard
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.screens.help import help_lines, help_size
from tokentop.views.tui.state import ViewState

Size = tuple[int, int]
SIZES: tuple[Size, ...] = ((40, 12), (60, 20), (80, 24), (120, 40), (200, 60))
SMALL, USUAL, LARGE, WIDE = (60, 20), (80, 24), (120, 40), (200, 60)
STATES = examples.STATES | engine_examples.STATES
YOUNG = ("first-paint", "empty")  # states without any history
ASCII = UiConfig(ascii=True)
HIDDEN = UiConfig(hide=("slots", "cloud", "metrics"))
ENTRIES = {"page": ledger_examples.PAGE, "wall_ahead_s": WALL - NOW}
AGENTS = {"page": ledger_examples.of("agents"), "wall_ahead_s": WALL - NOW}
QWEN, GEMMA = engine_examples.QWEN.id, engine_examples.GEMMA.id


EVENTS = (
    ("11-20 23:58", Event("tier", "demand fell from moderate to low")),
    ("11:58:02", Event("engine_restarted", "Qwen3-32B (127.0.0.1:8000) has restarted", QWEN)),
    ("12:01:10", Event("rejections", "Qwen3-32B refused requests within the last minute", QWEN)),
    ("12:01:10", Event("tier", "demand rose from high to full: Qwen3-32B refused requests"
                       " within the last minute")),
    ("12:02:44", Event("gpu_throttled", "GPU 3 (NVIDIA H100) is throttled: hw-thermal", "GPU-3")),
    ("12:03:20", Event("engine_down", "gemma-3-12b (127.0.0.1:8001) is down: nothing listens on"
                       " 127.0.0.1:8001", GEMMA)),
    ("12:03:59", Event("engine_starting", "gemma-3-12b (127.0.0.1:8001) is starting: the model is"
                       " being loaded", GEMMA)),
    ("12:04:27", Event("engine_ready", "gemma-3-12b (127.0.0.1:8001) is ready", GEMMA)),
)  # fmt: skip


def thresholds() -> Snapshot:
    """Pairs on both sides of a threshold: VRAM 94 and 95 %, 84 and 85 °C, KV cache 94 and 95 %."""
    limits = ((94, 84.0), (95, 84.0), (94, 85.0), (95, 85.0))
    cards = (device(i, used, 100, temperature_c=heat) for i, (used, heat) in enumerate(limits))
    return Box().gpus(*cards).engines(_at_limit(8000, 0.94, 0), _at_limit(8001, 0.95, 1)).snapshot()


def _at_limit(port: int, kv_cache: float, queued: int) -> Serving:
    return engine_examples.GEMMA._replace(port=port, kv_cache=kv_cache, queued=queued, pids=())


def burning() -> Snapshot:
    """A fifth of what is generated is cut short: as much as is tolerated."""
    return engine_examples.box(engine_examples.QWEN._replace(burn=0.25)).snapshot()


def demo() -> Snapshot:
    """A simulated stack, which says so."""
    return examples.stack(0.74, 34, 4, rented=1, demo=True).snapshot()


def unlisted() -> Snapshot:
    """Sixteen GPUs, none of which lets its processes be listed."""
    return Box().gpus(*(g._replace(processes=None) for g in examples.pool(0.4, 16))).snapshot()


def hosts() -> tuple[HostRow, ...]:
    """One of each kind: calm, full, silent with its last figures, and never heard."""
    calm, full = examples.low(), engine_examples.priced()
    return (
        host_row("http://a:8765", "rack-1", calm),
        host_row("http://b:8765", "rack-2", full),
        host_row("http://c:8765", "rack-3", examples.surge())._replace(
            problem="nothing listens at http://c:8765", age_s=94.0
        ),
        HostRow("http://d:8765", "rack-4", problem="the token is refused by http://d:8765"),
    )


# Name: snapshot, view, sizes, what else differs from the usual screen.
VARIANTS: dict[str, tuple[Snapshot, ViewState, tuple[Size, ...], dict[str, object]]] = {
    "ascii": (examples.surge(), ViewState(), SIZES, {"ui": ASCII}),
    "compact": (examples.surge(), ViewState(compact=True), (USUAL, (60, 8), (40, 12)), {}),
    "badges": (demo(), ViewState(paused_at=1.0), (USUAL, LARGE), {"insecure_tls": True}),
    "filtering": (examples.gpus(64), ViewState(filter="GPU-0000001", filtering=True), (USUAL,), {}),
    "sorted": (examples.troubled(), ViewState(sort="util"), (USUAL, LARGE), {}),
    "hidden": (examples.high(), ViewState(), (USUAL, LARGE), {"ui": HIDDEN}),
    "later": (examples.stale(), ViewState(), (USUAL,), {"elapsed_s": 200.0}),
    "notice": (examples.low(), ViewState(notice="Theme: light"), ((40, 12),), {}),
    "winding-down": (examples.idle(), ViewState(), (SMALL,), {"elapsed_s": 11.0}),
    "engines-ascii": (engine_examples.engines(), ViewState(), (LARGE,), {"ui": ASCII}),
    "engines-compact": (engine_examples.priced(), ViewState(compact=True), ((80, 12),), {}),
    "thresholds": (thresholds(), ViewState(), (LARGE,), {}),
    "burn-tolerated": (burning(), ViewState(), (LARGE,), {"burn_at": 0.25}),
    "burn-noticed": (burning(), ViewState(), (LARGE,), {"burn_at": 0.24}),
    "driver-silent": (examples.driver_silent(), ViewState(), SIZES, {}),
    "driver-slow": (examples.driver_slow(), ViewState(), SIZES, {}),
    "driver-lost": (examples.driver_lost(), ViewState(), SIZES, {}),
    # the GPUs' view
    "view-gpus-driver-silent": (examples.driver_silent(), ViewState("gpus"), (USUAL, LARGE), {}),
    "view-gpus-driver-lost": (examples.driver_lost(), ViewState("gpus"), (USUAL, LARGE), {}),
    "view-gpus": (engine_examples.both(), ViewState("gpus"), (SMALL, USUAL, LARGE, (200, 60)), {}),
    "view-gpus-troubled": (examples.troubled(), ViewState("gpus"), (USUAL, LARGE), {}),
    "view-gpus-mig": (examples.mig(), ViewState("gpus", sort="vram"), (USUAL, LARGE), {}),
    "view-gpus-fleet": (engine_examples.fleet(), ViewState("gpus"), (SMALL, USUAL, LARGE), {}),
    "view-gpus-64": (examples.gpus(64), ViewState("gpus", offset=30), (SMALL, USUAL), {}),
    "view-gpus-filtered": (examples.gpus(64), ViewState("gpus", filter="0003"), (USUAL,), {}),
    "view-gpus-refused": (unlisted(), ViewState("gpus"), (USUAL,), {}),
    "view-gpus-page": (
        gpu_pages.at_work(), ViewState("gpus", process_sort="sm"),
        ((40, 12), SMALL, USUAL, LARGE, (200, 60)), {}),
    "view-gpus-page-ascii": (gpu_pages.at_work(), ViewState("gpus"), (LARGE,), {"ui": ASCII}),
    "view-gpus-page-64": (
        gpu_pages.many(), ViewState("gpus", process=gpu_pages.ON_33),
        (USUAL, LARGE, (200, 60)), {}),
    "view-gpus-page-mig": (gpu_pages.mig(), ViewState("gpus"), (USUAL, LARGE, (200, 60)), {}),
    "view-gpus-page-lost": (gpu_pages.lost(), ViewState("gpus"), (USUAL, LARGE, (200, 60)), {}),
    "view-gpus-page-unified": (gpu_pages.unified(), ViewState("gpus"), (USUAL, LARGE), {}),
    "view-gpus-none": (examples.empty(), ViewState("gpus"), (USUAL,), {}),
    # the engines' table
    "view-engines": (engine_examples.engines(), ViewState("engines"), (SMALL, USUAL, LARGE), {}),
    "view-engines-troubled": (
        engine_examples.troubled_engines(), ViewState("engines", cursor="sglang@127.0.0.1:9003"),
        ((40, 12), SMALL, USUAL, LARGE, (200, 60)), {},
    ),
    "view-engines-fleet": (
        engine_examples.fleet(), ViewState("engines", cursor="vllm@10.0.2.0:8000",
                                           engine_sort="queue"), (SMALL, USUAL, LARGE), {}),
    "view-engines-thresholds": (thresholds(), ViewState("engines", engine_sort="kv"), (LARGE,), {}),
    "view-engines-filtered": (
        engine_examples.engines(), ViewState("engines", filter="nothing like it"), (USUAL,), {}),
    "view-engines-none": (examples.low(), ViewState("engines"), (USUAL,), {}),
    # one engine in full
    "view-engine": (
        engine_examples.engines(), ViewState("engines", opened=QWEN), (SMALL, USUAL, LARGE), {}),
    "view-engine-silent": (
        engine_examples.troubled_engines(), ViewState("engines", opened=GEMMA), (LARGE,), {}),
    "view-engine-advice": (
        engine_examples.troubled_engines(),
        ViewState("engines", opened="sglang@127.0.0.1:9003"), (LARGE,), {}),
    "view-engine-router": (
        engine_examples.troubled_engines(),
        ViewState("engines", opened="litellm@127.0.0.1:4000", offset=9), (USUAL, LARGE), {}),
    "view-engine-gone": (
        engine_examples.engines(), ViewState("engines", opened="gone"), (USUAL,), {}),
    # how the costs were computed
    "view-costs": (engine_examples.priced(), ViewState("costs"), (SMALL, USUAL, LARGE), {}),
    "view-costs-owned": (engine_examples.owned(), ViewState("costs"), (USUAL, LARGE), {}),
    "view-costs-unset": (engine_examples.engines(), ViewState("costs"), (USUAL, LARGE), {}),
    # the last hour
    "view-history": (examples.high(), ViewState("history"), (SMALL, USUAL, LARGE, (200, 60)), {}),
    "view-history-engines": (
        engine_examples.priced(), ViewState("history"), (USUAL, LARGE), {}),
    "view-history-gpus": (examples.gpus_only(), ViewState("history"), (USUAL, LARGE), {}),
    "view-why": (examples.saturated(), ViewState("why"), (SMALL, USUAL, LARGE), {}),
    "view-why-engines": (
        engine_examples.troubled_engines(), ViewState("why"), ((40, 12), USUAL, LARGE), {}),
    "view-why-calm": (engine_examples.one_engine(), ViewState("why"), (USUAL,), {}),
    "view-events": (
        engine_examples.troubled_engines(), ViewState("events"),
        ((40, 12), SMALL, USUAL, LARGE), {"events": EVENTS}),
    "view-events-none": (engine_examples.one_engine(), ViewState("events"), (USUAL,), {}),
    "view-events-ascii": (
        engine_examples.one_engine(), ViewState("events", offset=3), ((60, 8),),
        {"events": EVENTS, "ui": ASCII}),
    # budgets and the ledger
    "view-budgets": (
        ledger_examples.ledger(), ViewState("budgets"), ((40, 12), SMALL, USUAL, LARGE, WIDE), {}),
    "view-budgets-sorted": (
        ledger_examples.ledger(), ViewState("budgets", budget_sort="state", budget_reverse=True,
                                            budget="project batch batch"), (USUAL, LARGE), {}),
    "view-budgets-filtered": (
        ledger_examples.ledger(), ViewState("budgets", filter="nothing like it"), (USUAL,), {}),
    "view-budgets-ascii": (
        ledger_examples.ledger(), ViewState("budgets"), (LARGE,), {"ui": ASCII}),
    "view-budgets-troubled": (
        ledger_examples.troubled(), ViewState("budgets"), (USUAL, LARGE, WIDE), {}),
    "view-budgets-off": (examples.low(), ViewState("budgets"), (SMALL, USUAL, LARGE), {}),
    "view-budgets-unused": (ledger_examples.unused(), ViewState("budgets"), (USUAL,), {}),
    "view-budget": (
        ledger_examples.ledger(), ViewState("budgets", opened="project agents agents"),
        (SMALL, USUAL, LARGE, WIDE), AGENTS),
    "view-budget-stopped": (
        ledger_examples.ledger(), ViewState("budgets", opened="project batch batch"), (USUAL,),
        {"page": Page(total=0)}),
    "view-budget-team": (
        ledger_examples.ledger(), ViewState("budgets", opened="team research research"), (LARGE,),
        ENTRIES),
    "view-ledger": (
        ledger_examples.ledger(), ViewState("ledger", entry="litellm:0005"),
        ((40, 12), SMALL, USUAL, LARGE, WIDE), ENTRIES),
    "view-ledger-filtered": (
        ledger_examples.ledger(), ViewState("ledger", filter="xyz"), (USUAL,),
        {"page": Page("xyz", total=0)}),
    "view-ledger-silent": (
        examples.low(), ViewState("ledger"), (USUAL,),
        {"page": Page(problem="the ledger l.sqlite3: the file is damaged")}),
    "view-entry": (
        ledger_examples.ledger(), ViewState("ledger", opened="litellm:0005"),
        (USUAL, LARGE, WIDE), ENTRIES),
    # the table of several hosts
    "view-hosts": (
        examples.empty(), ViewState("hosts", host="http://b:8765"),
        ((40, 12), SMALL, USUAL, LARGE, (200, 60)), {"fleet": hosts()}),
    "view-hosts-filtered": (
        examples.empty(), ViewState("hosts", filter="surge", host_sort="cost"), (USUAL,),
        {"fleet": hosts()}),
    "view-hosts-ascii": (
        examples.empty(), ViewState("hosts", host_sort="tier"), (USUAL,),
        {"fleet": hosts(), "ui": ASCII}),
    "unrecorded": (examples.low(), ViewState(), (USUAL, (60, 20)), {"records": False}),
    "view-history-ascii": (examples.high(), ViewState("history"), (USUAL,), {"ui": ASCII}),
    "view-history-young": (
        examples.low(), ViewState("history"), (LARGE,), {"samples": lambda: samples()[-1:]}),
}  # fmt: skip

# Drawn with their styles: each holds a colour that no other character of the screen tells.
STYLED: dict[str, tuple[Size, ...]] = {
    **dict.fromkeys(("idle", "low", "moderate", "high", "surge", "saturated"), (SMALL,)),
    "first-paint": (USUAL, LARGE),
    "empty": (USUAL, LARGE),
    "offline": (USUAL,),
    "gpus-only": (USUAL,),
    "view-why-engines": (USUAL,),
    "view-events": (LARGE,),
    "view-hosts": (USUAL, LARGE),
    "unrecorded": (USUAL,),
    "stale": ((40, 12), SMALL, USUAL, LARGE),
    "later": (USUAL,),
    "troubled": ((40, 12), USUAL, LARGE),
    "both": (LARGE,),
    "mig": ((40, 12), LARGE),
    "surge": (SMALL, LARGE),
    "saturated": (SMALL, LARGE),
    "engines": (LARGE,),
    "one-engine": (USUAL,),
    "priced": (LARGE,),
    "troubled-engines": (LARGE, (200, 60)),
    "stale-engines": (LARGE,),
    "fleet": (USUAL, LARGE),
    "badges": (USUAL,),
    "filtering": (USUAL,),
    "notice": ((40, 12),),
    "engines-compact": ((80, 12),),
    **dict.fromkeys(("thresholds", "burn-tolerated", "burn-noticed"), (LARGE,)),
    "view-gpus": (LARGE,),
    "view-gpus-troubled": (LARGE,),
    "view-gpus-64": (SMALL,),
    "view-gpus-refused": (USUAL,),
    "view-engines-troubled": (LARGE,),
    "view-engines-fleet": (USUAL,),
    "view-engines-thresholds": (LARGE,),
    "view-engine": (LARGE,),
    "view-engine-silent": (LARGE,),
    "view-engine-advice": (LARGE,),
    "view-engine-router": (USUAL,),
    "view-costs-owned": (LARGE,),
    "view-costs-unset": (USUAL,),
    "view-history": (LARGE,),
    "view-budgets": (USUAL, LARGE),
    "view-budgets-troubled": (LARGE,),
    "view-budget": (LARGE,),
    "view-ledger": (LARGE,),
    "view-entry": (USUAL,),
    "view-history-young": (LARGE,),
}


# Name: what the layout depends on; each is arranged on screens of every height.
LAYOUTS = {
    "stack-no-gpu": LayoutInputs(),
    "stack-1-gpu": LayoutInputs(gpu_rows=1),
    "stack-8-gpus": LayoutInputs(gpu_rows=8),
    "stack-64-gpus": LayoutInputs(gpu_rows=64),
    "stack-and-engines": LayoutInputs(gpu_rows=8, engines=2, engine_rows=2),
    "one-engine": LayoutInputs(gpu_rows=1, engines=1, engine_rows=1, presence="engines"),
    "engines-no-gpu": LayoutInputs(engines=3, engine_rows=3, presence="engines"),
    "engines": LayoutInputs(gpu_rows=8, engines=3, engine_rows=3, presence="engines"),
    "many-engines": LayoutInputs(gpu_rows=9, engines=9, engine_rows=11, presence="engines"),
    "fleet": LayoutInputs(gpu_rows=17, engines=65, engine_rows=69, presence="engines"),
    "gpus-only": LayoutInputs(gpu_rows=4, presence="gpus", process_rows=6),
    "empty": LayoutInputs(presence="nothing"),
    "compact": LayoutInputs(compact=True),
    "hidden": LayoutInputs(gpu_rows=8, hidden=frozenset(HIDDEN.hide)),
}


def layout(name: str) -> str:
    """A layout golden: the panels' heights from top to bottom, a line for each screen."""
    return "\n".join(
        _arranged(width, height, LAYOUTS[name])
        for width in (40, 80, 120)
        for height in range(3, 61)
    )


def _arranged(width: int, height: int, inputs: LayoutInputs) -> str:
    """`80x24  header 1  banner 2`; panels that share a row have their widths too."""
    places = dashboard(width, height, inputs)
    rows: dict[int, list[Placement]] = {}
    for place in places:
        rows.setdefault(place.y, []).append(place)
    words = (
        " + ".join(f"{p.panel} {p.height}" + f"/{p.width}" * (len(row) > 1) for p in row)
        for row in rows.values()
    )
    return f"{width}x{height}  " + "  ".join(words)


def screens() -> Iterator[tuple[str, tuple[Size, ...]]]:
    """Every screen by name, with the sizes it is drawn at."""
    yield from ((name, SIZES) for name in STATES)
    yield from ((name, sizes) for name, (_, _, sizes, _) in VARIANTS.items())


@cache
def screen(name: str) -> ScreenModel:
    """What one of `screens` shows."""
    if name in VARIANTS:
        snapshot, view, _, fields = VARIANTS[name]
        return model(snapshot, view, trends=_trends(snapshot), **fields)
    snapshot = STATES[name]()
    return model(snapshot, history=() if name in YOUNG else None, trends=_trends(snapshot))


def pictures() -> dict[str, Callable[[], str]]:
    """Every golden's file name with what draws it."""
    drawn = {f"layout-{name}": partial(layout, name) for name in LAYOUTS}
    for name, sizes in screens():
        drawn |= {f"{name}-{w}x{h}": partial(_drawn, text, name, w, h) for w, h in sizes}
        for w, h in STYLED.get(name, ()):
            drawn[f"{name}-{w}x{h}-styled"] = partial(_drawn, styled, name, w, h)
    for size in ((40, 12), USUAL, LARGE):
        for page, name in enumerate(("help", "glossary")):
            drawn["view-{}-{}x{}".format(name, *size)] = partial(_help, text, size, page)
            drawn["view-{}-{}x{}-styled".format(name, *size)] = partial(_help, styled, size, page)
    return drawn


def _drawn(written: Callable[[list[Line]], str], name: str, width: int, height: int) -> str:
    return written(composed(screen(name), width, height))


def _help(written: Callable[[list[Line]], str], size: Size, page: int) -> str:
    return written(help_lines(*help_size(*size, page), DrawOptions(), page))


def _trends(snapshot: Snapshot) -> Callable[[str], Trends]:
    """Half an hour of the engines, busier and busier, with a silence in it; made when read."""
    return lambda identity: _rising(snapshot).trends(identity)


@cache
def _rising(snapshot: Snapshot) -> EngineHistory:
    history = EngineHistory()
    for i in range(450):
        rising = [
            e._replace(
                generation_tokens_per_s=(e.generation_tokens_per_s or 0.0) * i / 450,
                queued=i // 90,
                kv_cache=i / 450,
            )
            for e in snapshot.engines
        ]
        silent = [e._replace(state="stale") for e in snapshot.engines]
        history.add(NOW - 4.0 * (449 - i), rising if not 200 <= i < 230 else silent)
    return history
