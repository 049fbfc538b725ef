"""The one line: its default shape, its templates, its colours, and what unknown looks like."""

import re
from collections.abc import Callable

import pytest

from tests import examples
from tests.box import Box
from tests.serving import Serving
from tokentop.domain import snapshot as model
from tokentop.domain.snapshot_engines import CostBounds, Engine, Throughput
from tokentop.domain.snapshot_ledger import Budget, LedgerFigures
from tokentop.domain.text import cell_width
from tokentop.domain.verdict.check import exit_code
from tokentop.domain.verdict.values import Health, Pool
from tokentop.views import template
from tokentop.views.figures import FIELDS
from tokentop.views.line import Paint, line
from tokentop.views.template import TemplateError, parse

GIB = 1024**3
NAMES = (  # noqa: SIM905  # reads as the published list does
    "gpu_util vram_used vram_total vram_pct active queued slots free kv multiplier tier mode"
    " message cost cloud gpus models services_up services_total gen_tps prompt_tps age host"
    " ttft itl engines usd_hour usd_mtok usd_mtok_busy headline health alarm effective_cost"
    " clock budget today_usd today_credits today_tokens"
).split()


def published() -> model.Snapshot:
    """The snapshot behind the published example line."""
    return model.Snapshot(
        gpus=(
            model.Gpu(vram_used_bytes=int(18.2 * GIB), vram_total_bytes=24 * GIB, utilization=0.42),
        ),
        llm=model.Llm(queued=3),
        pricing=model.Pricing(multiplier=2.13, base_cost_tokens=10.0, effective_cost_tokens=0.0),
        cloud=model.Cloud(active=1),
        demand=model.Demand(
            tier="saturated", mode="saturated", pools=(Pool("stack", "saturated"),)
        ),
        health=Health("ok"),
        services=(model.Service("genesis", "aither", None, "online", member=True),),
    )


def of_engines() -> model.Snapshot:
    """The snapshot behind the published line of a box of engines."""
    return model.Snapshot(
        gpus=(model.Gpu(utilization=0.95),),
        llm=model.Llm(active=64, max_slots=64, queued=41, kv_cache=0.92),
        throughput=Throughput(generation_tokens_per_s=1976.4, ttft_s=0.61),
        pricing=model.Pricing(usd_per_mtok_reserved=0.33),
        engines=(Engine("vllm@a", "vllm", state="online"),),
        health=Health("ok"),
    )


def fill(text: str, snapshot: model.Snapshot) -> str:
    return line(snapshot, slots=parse(text))


def test_the_published_example() -> None:
    """The default line is the one in the public contract, character for character."""
    assert line(published()) == "FULL │ GPU 42% │ VRAM 18.2/24.0G │ Q 3 │ ×2.13 │ free │ cloud 1"


def test_ascii() -> None:
    """With ascii every byte is ASCII and the reading is the same."""
    text = line(published(), paint=Paint(ascii=True))
    assert text == "FULL | GPU 42% | VRAM 18.2/24.0G | Q 3 | x2.13 | free | cloud 1"


def test_nothing_known() -> None:
    """Before any answer every figure is a dash, never 0, and the line is not FULL."""
    assert line(model.Snapshot()) == "GPU — │ VRAM — │ no engine"
    silent = model.Snapshot(engines=(Engine("vllm@a", "vllm"),))
    assert line(silent) == "—/— │ — tok/s │ KV — │ TTFT — │ GPU —"
    configured = (model.Service("genesis", "aither", member=True),)
    text = line(model.Snapshot(services=configured))
    assert text == "GPU — │ VRAM — │ Q — │ — │ — │ cloud —"
    assert line(model.Snapshot(), paint=Paint(ascii=True)).isascii()


def test_a_box_of_engines() -> None:
    """The published line; without a price none is shown, a lower bound is marked."""
    assert line(of_engines()) == "64/64 +41 │ 1976 tok/s │ KV 92% │ TTFT 0.6s │ GPU 95% │ $0.33/M"
    free = of_engines()._replace(pricing=model.Pricing(), llm=model.Llm(active=3))
    assert line(free) == "3/— │ 1976 tok/s │ KV — │ TTFT 0.6s │ GPU 95%"
    price = model.Pricing(usd_per_mtok_reserved=0.33, bounds=CostBounds(None, "at-most"))
    assert line(free._replace(pricing=price)).endswith(" │ ≤$0.33/M")
    bound = free._replace(
        engines=(Engine("llamacpp@a", "llamacpp", state="online", rate_at_least=True),)
    )
    assert " │ ≥1976 tok/s │ " in line(bound)


def test_a_box_of_gpus() -> None:
    """Neither slots nor tokens that it has not, and why `--check` ends with 3."""
    gpu = model.Gpu(vram_used_bytes=GIB, vram_total_bytes=2 * GIB, utilization=0.5)
    assert line(model.Snapshot(gpus=(gpu,))) == "GPU 50% │ VRAM 1.0/2.0G │ no engine"


def test_requests_are_never_held_against_the_slots_of_other_engines() -> None:
    """Where some run in slots of unknown number, the line has no sum of slots."""
    sized = Serving("vllm", 8000, "qwen3.6-27b", active=60, queued=40, max_slots=64)
    unsized = Serving("vllm", 8001, "qwen3.6-27b", active=11, queued=1)
    both = line(Box().engines(sized, unsized).snapshot())
    assert "71 active +41 │" in both
    assert "/64" not in both
    assert "60/64 +40 │" in line(Box().engines(sized).snapshot())


@pytest.mark.parametrize("width", [1, 12, 20, 30, 40, 79])
def test_the_alarm_is_what_a_narrow_line_keeps(width: int) -> None:
    """Whatever goes, DOWN with its model stays, whole, in a template as well."""
    down = model.Demand(pools=(Pool("Qwen3-235B", health="down"),))
    snapshot = of_engines()._replace(demand=down, health=Health("down"))
    assert line(snapshot, paint=Paint(width=width)).startswith("DOWN Qwen3-235B")
    slots = parse("{kv} {alarm} {gpu_util}")
    assert "DOWN Qwen3-235B" in line(snapshot, slots=slots, paint=Paint(width=width))


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (63, "64/64 +41 │ 1976 tok/s │ KV 92% │ TTFT 0.6s │ GPU 95% │ $0.33/M"),
        (62, "64/64 +41 │ 1976 tok/s │ KV 92% │ TTFT 0.6s │ $0.33/M"),
        (52, "64/64 +41 │ 1976 tok/s │ KV 92% │ TTFT 0.6s"),
        (42, "64/64 +41 │ 1976 tok/s │ KV 92%"),
        (30, "64/64 +41 │ 1976 tok/s"),
        (21, "64/64 +41"),
        (8, ""),
    ],
)
def test_what_matters_least_goes_first_and_whole(width: int, shown: str) -> None:
    """GPU, price, TTFT, KV cache, speed, slots; a figure is there or is not."""
    text = line(of_engines(), paint=Paint(width=width))
    assert text == shown
    assert cell_width(text) <= width


@pytest.mark.parametrize("build", [published, of_engines, model.Snapshot, examples.stale])
@pytest.mark.parametrize("ascii_", [False, True])
def test_no_width_cuts_a_figure(build: Callable[[], model.Snapshot], ascii_: bool) -> None:
    """At every width the line is made of figures of the whole one, in their order."""
    snapshot, rule = build(), " | " if ascii_ else " │ "
    whole = line(snapshot, paint=Paint(ascii=ascii_)).split(rule)
    for width in range(1, 100):
        text = line(snapshot, paint=Paint(width=width, ascii=ascii_))
        shown = text.split(rule) if text else []
        assert [figure for figure in whole if figure in shown] == shown
        assert cell_width(text) <= width or len(shown) == 1


def test_a_template_loses_figures_from_its_end() -> None:
    """Each with the text before it, so that no rule is left hanging."""
    slots = parse("{active}/{slots} │ {gen_tps:.0f} tok/s │ KV {kv:.0%} of it")
    room = {n: line(of_engines(), slots=slots, paint=Paint(width=n)) for n in (40, 33, 20, 5, 3)}
    assert room[40] == "64/64 │ 1976 tok/s │ KV 92% of it"
    assert room[33] == room[40]
    assert room[20] == "64/64 │ 1976"
    assert (room[5], room[3]) == ("64/64", "64")


def test_old_and_simulated_data_say_so_as_long_as_anything_is_shown() -> None:
    """DEMO is the last to go: a narrow line cannot be taken for a real one."""
    demo = of_engines()._replace(demo=True)
    shown = [line(demo, paint=Paint(width=n)) for n in range(4, 80)]
    assert all(text.startswith("DEMO") for text in shown)


def test_a_long_name_leaves_room_for_figures() -> None:
    """A model's path does not fill the line."""
    down = model.Demand(pools=(Pool("/models/" + "x" * 70, health="down"),))
    text = line(of_engines()._replace(demand=down, health=Health("down")))
    assert cell_width(text.partition(" │ ")[0]) <= 40


def test_costs_are_real_once_not_free() -> None:
    """With everything_free off what a request costs now takes the place of the word."""
    real = model.Pricing(
        multiplier=2.0, everything_free=False, base_cost_tokens=12.5, effective_cost_tokens=25.0
    )
    paid = published()._replace(pricing=real)
    assert " │ 25 cr │ " in line(paid)
    assert (fill("{cost}", paid), fill("{effective_cost}", paid)) == ("12.5", "25")


def test_demo_data_say_so() -> None:
    """A simulated line can never be taken for a real one."""
    assert line(published()._replace(demo=True)).startswith("FULL │ DEMO │ GPU 42%")


@pytest.mark.parametrize("width", [0, 1, 7, 40, 500])
def test_old_data_are_marked_and_a_width_is_kept(width: int) -> None:
    """Stale data end with their age, and a line that is cut never exceeds its width."""
    assert line(examples.stale()).endswith(" │ stale 47s")
    for ascii_ in (False, True):
        text = line(examples.stale(), paint=Paint(width=width, cut_at=width, ascii=ascii_))
        assert cell_width(text) <= width
        assert text.isascii() or not ascii_


def test_a_mean_leaves_out_a_gpu_that_would_not_say() -> None:
    """A GPU that refuses a figure does not count as 0 in the mean or the sums."""
    quiet = model.Gpu(state="suspended")
    assert line(published()._replace(gpus=(*published().gpus, quiet))) == line(published())


def test_mig_instances_are_not_counted_twice() -> None:
    """A MIG instance's memory is its parent's: sums and the count take the parent alone."""
    child = model.Gpu(mig="GPU-1", vram_used_bytes=GIB, vram_total_bytes=GIB, utilization=1.0)
    split = published()._replace(gpus=(*published().gpus, child))
    assert line(split) == line(published())
    assert fill("{gpus}", split) == "1"


@pytest.mark.parametrize("state", examples.STATES)
@pytest.mark.parametrize("ascii_", [False, True])
def test_every_state_is_one_clean_line(state: str, ascii_: bool) -> None:
    """Whatever the data, hostile names included: one line, printable, no trailing space."""
    snapshot = examples.STATES[state]()
    every = parse(" ".join(f"{{{name}}}" for name in FIELDS))
    for text in (
        line(snapshot, paint=Paint(ascii=ascii_)),
        line(snapshot, slots=every, paint=Paint(ascii=ascii_)),
    ):
        assert text.isprintable()
        assert text == text.rstrip()
        assert text.isascii() or not ascii_
        assert "None" not in text
        assert "nan" not in text


def test_colour_follows_the_tier_and_nothing_else() -> None:
    """The accent is the tier's own colour, in 16 or 16.7 million colours; none means no escape."""
    snapshot = examples.saturated()
    assert "\x1b" not in line(snapshot)
    assert "\x1b[1;31mFULL 48/48 +55\x1b[0m" in line(snapshot, paint=Paint(16))
    assert "\x1b[1;38;2;248;113;113mFULL 48/48 +55\x1b[0m" in line(snapshot, paint=Paint(24))
    assert "38;2;185;28;28" in line(snapshot, paint=Paint(24, theme="light"))
    assert "\x1b[1;31mFULL" in line(snapshot, paint=Paint(24, theme="ansi"))
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", line(snapshot, paint=Paint(24)))
    assert stripped == line(snapshot)
    assert "\x1b[1;" not in line(model.Snapshot(), paint=Paint(16))


def test_the_template_names_are_the_published_ones() -> None:
    """Scripts depend on these names; each has a meaning, and a number its unit."""
    assert list(FIELDS) == NAMES
    assert all(field.means for field in FIELDS.values())
    assert [name for name, field in FIELDS.items() if bool(field.unit) != field.number] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{multiplier:.3f}", "2.130"),
        ("{gpu_util}%", "42%"),
        ("{gpu_util:d}", "42"),
        ("{vram_used:6.1f}/{vram_total:.0f}", "  18.2/24"),
        ("{vram_pct:.1f}", "75.8"),
        ("{queued:03d}|{tier:>10}|", "003| saturated|"),
        ("{cost}", "free"),
        ("{cost:6.1f}|", "  free|"),
        ("{{{cloud}}}", "{1}"),
        ("two\nlines {queued}", "two lines 3"),
        ("{services_up}/{services_total}", "0/7"),
        ("plain", "plain"),
    ],
)
def test_templates_take_python_format_specs(text: str, shown: str) -> None:
    """A known figure is formatted as Python would format that number or text."""
    assert fill(text, published()) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{multiplier:.2f}", "—"),
        ("{kv:.0%}|", "—|"),
        ("{active:>5d}|", "    —|"),
        ("{active:<5}|", "—    |"),
        ("{active:*^5}|", "**—**|"),
        ("{active:05d}|", "    —|"),
        ("{mode:>6}|", "     —|"),
        ("{mode:6}|", "—     |"),
        ("{models}", "—"),
        ("{age:.1f}s", "—s"),
        ("{gpus}", "—"),
    ],
)
def test_unknown_is_a_dash_whatever_the_spec(text: str, shown: str) -> None:
    """An unknown figure keeps its width and alignment and never fails on the number's format."""
    assert fill(text, model.Snapshot()) == shown


def test_a_driver_that_sees_no_gpu_is_a_known_zero() -> None:
    """No GPU is told apart from nobody having looked."""
    looked = model.Snapshot(services=(model.Service("nvml", "nvml", state="online"),))
    assert fill("{gpus}", looked) == "0"


@pytest.mark.parametrize(
    "text",
    [
        "{nope}",
        "{}",
        "{0}",
        "{tier.__class__}",
        "{tier[0]}",
        "{queued!r}",
        "{queued:{host}}",
        "{queued:zz}",
        "{queued:c}",
        "{tier:.2f}",
        "{tier:=9}",
        "{host:999999999}",
        "{age:.999999999f}",
        "{",
        "}",
        "{tier",
    ],
)
def test_a_bad_template_is_one_sentence(text: str) -> None:
    """Every mistake, and every reach into objects, is refused before anything is asked."""
    with pytest.raises(TemplateError) as caught:
        parse(text)
    message = str(caught.value)
    assert message.startswith("--format: ")
    assert message.isprintable()


def test_an_unknown_name_lists_the_names() -> None:
    """The sentence names all that could have been meant."""
    with pytest.raises(TemplateError) as caught:
        parse("{qeued}")
    assert all(name in str(caught.value) for name in NAMES)


def test_an_infinite_figure_is_unknown() -> None:
    """No line ever says nan or inf."""
    odd = model.Snapshot(pricing=model.Pricing(multiplier=float("inf")))
    assert template.fill(parse("{multiplier:.2f}"), odd, "?") == "?"
    assert "inf" not in line(odd)


def with_budgets(*budgets: Budget) -> model.Snapshot:
    """A box of engines whose ledger has these budgets."""
    figures = LedgerFigures(budgets, today_tokens=27_641_000, today_credits=55.5, today_usd=65.333)
    return of_engines()._replace(ledger=figures, demand=model.Demand(tier="low", mode="normal"))


def budget(who: str, zero_in_s: float | None, **fields: object) -> Budget:
    return Budget(who, "project", who, "day", "usd", 10.0, 1.0, zero_in_s=zero_in_s)._replace(
        **fields  # type: ignore[arg-type]
    )


def test_the_tightest_clock_and_what_today_has_cost() -> None:
    """A stopped budget has no clock; where nothing burns it is the word never, unknown a dash."""
    stopped = budget("over", 0.0, state="stopped")
    some = with_budgets(budget("slow", 90_000.0), budget("agents", 5400.4), stopped)
    assert fill("{budget} {clock}", some) == "agents 5400"
    calm = with_budgets(budget("ana", None, burn_per_hour=0.0), budget("li", None))
    assert fill("{budget} {clock}", calm) == "ana never"
    assert fill("{budget} {clock}", with_budgets(budget("li", None))) == "— —"
    assert fill("{today_usd} {today_credits} {today_tokens}", calm) == "65.33 55.5 27641000"
    assert fill("{clock} {today_usd}", of_engines()) == "— —"


@pytest.mark.parametrize(("left_s", "alarms"), [(3599.0, True), (3600.0, False), (0.0, True)])
def test_a_budget_below_an_hour_is_an_alarm(left_s: float, alarms: bool) -> None:
    """First in the line, as a warning to --check; a model that is down or full comes before it."""
    shown = with_budgets(budget("agents", left_s))
    clock = {3599.0: "59:59", 3600.0: "", 0.0: "0:00"}[left_s]
    assert line(shown).startswith(f"BUDGET agents {clock}") == alarms
    assert exit_code(shown) == int(alarms)
    full = shown._replace(demand=model.Demand(tier="saturated", mode="saturated"))
    assert line(full).startswith("FULL")
