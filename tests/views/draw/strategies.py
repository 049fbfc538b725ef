"""Snapshots and looks of every kind, sensible or not, for property tests."""

import math
import time

from hypothesis import strategies as st

from tests import engine_examples, examples, ledger_examples
from tests.serving import NOW
from tests.views.draw.composed import model
from tokentop.config.schema import UiConfig
from tokentop.domain import snapshot as domain
from tokentop.domain import snapshot_engines as serving
from tokentop.domain import snapshot_ledger as spending
from tokentop.domain.engines.history import Trends
from tokentop.domain.history import SPANS_S, Sample
from tokentop.domain.hosts import HOST_SORTS
from tokentop.domain.ledger.listing import Page
from tokentop.light_typing import get_args
from tokentop.views.tui.draw.kit.line import DrawOptions, LedgerOptions
from tokentop.views.tui.draw.sorts import BUDGET_SORTS, ENGINE_SORTS, GPU_SORTS, PROCESS_SORTS
from tokentop.views.tui.state import Name, ViewState

texts = st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["", "\x1b[2J", "漢字" * 40]))
names = st.one_of(st.text(max_size=30), st.sampled_from(["\u202egnp", "[b]x[/b]", "é" * 300]))
counts = st.one_of(st.none(), st.integers(0, 200), st.integers(-(10**12), 10**12))
ratios = st.one_of(
    st.none(), st.floats(0, 1), st.sampled_from([math.nan, math.inf, -math.inf, -3.0, 1e300])
)
figures = st.one_of(st.none(), st.floats(0, 1000), st.floats(allow_nan=True, allow_infinity=True))
flags = st.booleans()
tiers = st.sampled_from([*get_args(domain.Tier), None])

gpus = st.builds(
    domain.Gpu, counts, texts, texts, texts, counts, counts, ratios, figures, figures, figures,
    st.sampled_from([None, "GPU-a", "GPU-b"]), flags, names, figures,
    st.sampled_from(["ok", "stale", "lost", "suspended", "error"]),
    st.one_of(st.none(), st.lists(
        st.builds(domain.Process, st.integers(0, 9), texts, texts, counts, texts)).map(tuple)),
    texts,
)  # fmt: skip
services = st.builds(
    domain.Service, names, st.sampled_from(["aither", "vllm", "nvml"]), texts,
    st.sampled_from(["online", "stale", "backing-off", "offline", "off", "bad-data"]),
    figures, figures, texts,
)  # fmt: skip
llms = st.builds(
    domain.Llm, counts, counts, counts, counts,
    st.one_of(st.none(), st.lists(names, max_size=6).map(tuple)), ratios, flags, flags,
    st.one_of(texts, st.just("engines")),
    figures, flags,
)  # fmt: skip
demands = st.builds(
    domain.Demand, ratios, ratios, ratios, tiers, names,
    st.sampled_from(["normal", "pressure", "saturated", None]), flags,
    st.sampled_from(["acta", "local"]), st.sampled_from(["vram", "serving"]), flags,
)  # fmt: skip
pricings = st.builds(
    domain.Pricing, figures, st.sampled_from(["acta", "local"]), st.floats(0, 3), st.floats(0, 9),
    st.floats(0, 50), st.floats(0, 1), figures, figures, flags, figures,
)  # fmt: skip
capacities = st.builds(
    domain.Capacity, st.floats(0, 1), ratios, flags,
    st.builds(domain.NextInstance, texts, counts, texts, texts, figures, figures,
              st.sampled_from(["offer", "default"])),
    figures,
)  # fmt: skip
clouds = st.builds(
    domain.Cloud,
    st.one_of(st.none(), st.lists(st.builds(domain.CloudInstance, texts, texts, texts, texts,
                                            texts, figures, flags), max_size=5).map(tuple)),
    counts, figures, figures, flags,
)  # fmt: skip
engines = st.builds(
    serving.Engine, names, names, texts, texts, texts, active=counts, queued=counts,
    max_slots=counts, kv_cache=ratios, generation_tokens_per_s=figures, ttft_s=figures,
    state=st.sampled_from(get_args(serving.EngineState)),
    age_s=figures, name=texts, ttft_p95_s=figures, itl_p95_s=figures, requests_per_s=figures,
    prefix_hit_ratio=ratios, burn=ratios, kv_estimated=flags, slots_estimated=flags, advice=texts,
    error=texts, group=texts, router=flags, vram_bytes=counts,
)  # fmt: skip
bounds = st.sampled_from([None, *get_args(serving.Bound)])
costs = st.builds(
    serving.Cost, st.sampled_from(["rented", "owned", None]), figures, figures, figures,
    figures, texts, figures, figures, figures,
    explained=st.lists(st.builds(serving.Explanation, names, figures, st.lists(
        st.builds(serving.CostInput, names, names, names), max_size=4).map(tuple)),
        max_size=4).map(tuple),
    bounds=st.builds(serving.CostBounds, bounds, bounds, bounds, bounds),
    gaps=st.lists(st.builds(serving.CostGap, names, st.floats(0.0, 3600.0)), max_size=4).map(tuple),
    needs=st.sampled_from([None, "cost.gpus"]),
)  # fmt: skip
accounts = st.builds(
    spending.Budget, names, st.sampled_from(get_args(spending.BudgetScope)), names,
    st.sampled_from(get_args(spending.BudgetPeriod)),
    st.sampled_from(get_args(spending.BudgetUnit)),
    st.floats(0, 1e12), st.floats(-1e9, 1e12), figures, figures, figures, figures, figures, ratios,
    st.sampled_from(get_args(spending.BudgetState)), flags, st.integers(0, 9),
    st.none() | st.just("2026-12-01T00:00:00Z"),
)  # fmt: skip
flagged = st.builds(
    spending.Flag, names, st.sampled_from(get_args(spending.FlagKind)), names,
    st.lists(names, min_size=1, max_size=3).map(tuple),
    texts, texts, figures, figures, flags, flags,
)  # fmt: skip
ledgers = st.builds(
    spending.LedgerFigures,
    st.lists(accounts, max_size=9).map(tuple),
    st.lists(st.builds(spending.Project, names, st.integers(0, 9), counts, figures, figures,
                       figures, flags, texts), max_size=4).map(tuple),
    st.lists(flagged, max_size=3).map(tuple),
    st.none() | st.integers(0, 20), st.integers(0, 10**9), counts, figures, figures, counts, counts,
    st.sampled_from([None, "open", "closed"]), st.integers(0, 10**9), figures, texts,
)  # fmt: skip
entries = st.builds(
    lambda row, name, amount: row._replace(
        user=name, entry=row.entry._replace(project=name, task=name, prompt=amount)),
    st.sampled_from(ledger_examples.ROWS), texts, counts,
)  # fmt: skip
pages = st.one_of(
    st.sampled_from([ledger_examples.PAGE, ledger_examples.of("agents"), Page()]),
    st.builds(Page, names, st.lists(entries, max_size=9).map(tuple), counts, flags, texts),
)
known = [ledger_examples.ledger(), ledger_examples.troubled()]
known += [build() for build in (*examples.STATES.values(), *engine_examples.STATES.values())]
snapshots = st.one_of(
    st.sampled_from(known),
    st.builds(
        domain.Snapshot, names, names, names, st.floats(0.5, 60), flags,
        services=st.lists(services, max_size=12).map(tuple),
        gpus=st.lists(gpus, max_size=12).map(tuple),
        llm=llms,
        throughput=st.builds(serving.Throughput, figures, figures, figures, figures, figures,
                             figures, figures, ratios, ratios, counts),
        engines=st.lists(engines, max_size=20).map(tuple),
        cost=costs,
        demand=demands, pricing=pricings, capacity=capacities, cloud=clouds,
        mint=st.builds(domain.Mint, figures, figures, figures, figures),
        parallel=st.builds(domain.Parallel, counts, counts, counts, flags),
        agents=st.builds(domain.Agents, counts, counts, flags),
        data_age_s=figures,
        ledger=st.none() | ledgers,
    ),
)  # fmt: skip
moments = st.floats(0, NOW)
trends = st.builds(
    Trends,
    *[st.lists(figures, max_size=20).map(tuple)] * 3,
    span_s=st.floats(0, 1e6),
    first=st.integers(0, 9),
).map(lambda found: lambda _: found)
looks = st.builds(
    DrawOptions, flags, st.floats(0, 1e5), st.sampled_from(["", "12:04:31"]), flags, flags,
    st.sampled_from(["index", "util", "vram", "temp", "power", "name"]),
    st.sampled_from(["", "", "h200", "\x1b"]), flags, st.integers(-5, 100),
    flags,
    st.frozensets(st.sampled_from(["banner", "gpus", "slots", "services", "economy"])),
    notice=st.sampled_from(["", "saved"]),
    engine_sort=st.sampled_from(ENGINE_SORTS), engine_filter=st.sampled_from(["", "vllm", "x"]),
    cursor=st.one_of(st.none(), st.just(""), names), burn_at=st.floats(0, 1), now=moments,
    process_sort=st.sampled_from(PROCESS_SORTS), host_sort=st.sampled_from(HOST_SORTS),
    trends=trends,
    ledger=st.builds(LedgerOptions, st.sampled_from(BUDGET_SORTS), flags, names, pages, names,
                     st.just(0.0), st.just(time.gmtime)),
    records=flags,
)  # fmt: skip
opened = st.sampled_from(["litellm:0005", "project agents agents"])
views = st.builds(
    ViewState, st.sampled_from(get_args(Name)), flags, st.sampled_from(GPU_SORTS),
    st.sampled_from(["", "", "h200", "\x1b", "漢字"]), flags, st.integers(-5, 100),
    st.one_of(st.none(), st.just(1.0)), st.sampled_from(["", "saved"]),
    st.sampled_from(ENGINE_SORTS), names, st.one_of(st.none(), names, opened),
    budget_sort=st.sampled_from(BUDGET_SORTS), budget_reverse=flags,
    process_sort=st.sampled_from(PROCESS_SORTS), process_reverse=flags,
    host_sort=st.sampled_from(HOST_SORTS),
    moment=st.none() | moments, ends_at=st.none() | moments,
    span_s=st.none() | st.sampled_from(SPANS_S),
)  # fmt: skip
histories = st.lists(
    st.builds(Sample, moments, ratios, figures, figures, ratios), max_size=60
).map(lambda samples: tuple(sorted(samples, key=lambda s: s.t)))  # fmt: skip
screens = st.builds(
    lambda snapshot, view, history, ascii_, hidden, elapsed_s, page: model(
        snapshot, view, history, elapsed_s=elapsed_s, page=page,
        ui=UiConfig(ascii=ascii_, hide=hidden)),
    snapshots, views, histories, flags,
    st.lists(st.sampled_from(["banner", "gpus", "slots", "services", "economy"])).map(tuple),
    st.floats(0, 1e5), pages,
)  # fmt: skip
widths, heights = st.integers(1, 220), st.integers(1, 70)
