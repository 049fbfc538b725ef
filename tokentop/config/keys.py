"""Every configuration key as one table: what loads, checks, shows and documents the configuration.

A new key is one row here and a field in schema.py.
"""

import re
from functools import cache
from typing import Literal, NamedTuple, get_args

from tokentop.config.schema import (
    DEMO_PARTS,
    PANELS,
    THEMES,
    Config,
    DemoConfig,
    DiscoveryConfig,
    PrometheusConfig,
    TlsConfig,
    UiConfig,
)
from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.policy import (
    CapacityPolicy,
    CostPolicy,
    HealthPolicy,
    Policy,
    PricingPolicy,
    TierPolicy,
)
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES, default_url

Kind = Literal[
    "number", "integer", "switch", "choice", "names", "url", "path", "file", "variable",
    "text", "label", "hosts", "ports",
]  # fmt: skip

__all__ = ["CONSTRAINTS", "Key", "by_path", "key_of", "table"]


class Key(NamedTuple):
    """One key. `name` is dotted as in the file, `path` its place in Config where that differs.

    `default` is Config's own default; None is written "" in TOML. `low` and `high` are the
    allowed range, ends included. `env` variables are looked at in order. Keys with `in_file` false
    are flags only. `sample` is what a problem's text suggests where the default is no example.
    """

    name: str
    kind: Kind
    default: object
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    flag: str | None = None
    path: str | None = None
    in_file: bool = True
    sample: object = ""

    @property
    def section(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def example(self) -> object:
        """A value that would do."""
        return self.default if self.sample == "" else self.sample

    @property
    def leaf(self) -> str:
        return self.name.rpartition(".")[2]


ARRAY = "engine"  # [[engine]], once for each
KINDS: tuple[str, ...] = get_args(EngineKind)


@cache
def engine() -> dict[str, Key]:
    """The keys of one [[engine]] by their own names."""
    rows = (
        Key("url", "url", None, "Base URL", sample="http://gpu-box:8000"),
        Key("name", "text", None, "What to call it; else its host and port", sample="chat"),
        Key("kind", "choice", None, f"One of {', '.join(KINDS)}; else told by its answers",
            choices=KINDS, sample="vllm"),
        Key("token_env", "variable", None, "Environment variable holding its API key"),
        Key("token_file", "file", None, "File holding its API key"),
        Key("max_slots", "integer", None, "Requests it runs at once, where it does not say",
            1, 1_000_000, sample=256),
    )  # fmt: skip
    return {row.name: row for row in rows}


def _discovery() -> tuple[Key, ...]:
    d = DiscoveryConfig()
    return (
        Key("discovery.enabled", "switch", d.enabled, "Look for engines",
            env=("TOKENTOP_DISCOVERY",), flag="--no-discovery"),
        Key("discovery.hosts", "hosts", d.hosts, "Machines whose ports are tried",
            sample=["127.0.0.1", "gpu-box"]),
        Key("discovery.ports", "ports", d.ports, "Ports to try besides the usual ones",
            sample=[8000]),
        Key("discovery.exclude", "ports", d.exclude, "Ports never to touch", sample=[8000]),
    )  # fmt: skip


def _prometheus() -> tuple[Key, ...]:
    p = PrometheusConfig()
    return (
        Key("prometheus.url", "url", p.url, "Base URL, with the prefix where there is one",
            flag="--prometheus", sample="https://prometheus:9090"),
        Key("prometheus.token_env", "variable", None, "Environment variable holding the token"),
        Key("prometheus.token_file", "file", None, "File holding the token"),
        Key("prometheus.ca_bundle", "file", p.ca_bundle,
            'PEM file; "" trusts what the system trusts'),
        Key("prometheus.verify", "switch", p.verify, "false trusts any certificate"),
        Key("prometheus.group_by", "label", p.group_by,
            "Label to group by, like cluster, node or model_name", sample="cluster"),
    )  # fmt: skip


def _cost() -> tuple[Key, ...]:
    c = CostPolicy()
    numbers = (
        ("usd_per_gpu_hour", c.usd_per_gpu_hour, "Rented: USD an hour for one GPU", 0.0, 1e4, 2.5),
        ("purchase_usd", c.purchase_usd, "Owned: what the GPUs cost together", 0.0, 1e9, 30000.0),
        ("months", c.months, "Owned: months to write that off over", 0.1, 1200.0, 36.0),
        ("usd_per_kwh", c.usd_per_kwh, "Owned: electricity; the watts are measured",
         0.0, 100.0, 0.3),
        ("reference_usd_per_mtok", c.reference_usd_per_mtok,
         "What a million generated tokens cost elsewhere, to compare with", 0.0, 1e6, 0.6),
    )  # fmt: skip
    first = [
        Key(f"cost.{name}", "number", default, about, low, high,
            path=f"policy.cost.{name}", sample=sample)
        for name, default, about, low, high, sample in numbers
    ]  # fmt: skip
    return (
        *first,
        Key("cost.reference_name", "text", c.reference_name, "Where that is",
            path="policy.cost.reference_name", sample="some API"),
        Key("cost.gpus", "integer", c.gpus, "How many GPUs, where they cannot be counted",
            1, 1_000_000, path="policy.cost.gpus", sample=8),
        Key("cost.silent_burn_at", "number", c.silent_burn_at,
            "Share of requests ending in abort or error that gets a mark",
            0.0, 1.0, path="policy.cost.silent_burn_at"),
        Key("cost.burn_counts_length", "switch", c.burn_counts_length,
            "Whether requests cut at max_tokens are silent burn too",
            path="policy.cost.burn_counts_length"),
    )  # fmt: skip


CONSTRAINTS = (  # lower key, upper key, whether they may be equal
    ("pricing.floor", "pricing.ceiling", True),
    ("tiers.low", "tiers.moderate", False),
    ("tiers.moderate", "tiers.high", False),
    ("tiers.high", "tiers.surge", False),
    ("tiers.surge", "tiers.saturated", False),
    ("capacity.scale_down_below", "capacity.scale_up_at", False),
)


@cache
def table() -> dict[str, Key]:
    """Return every key by its dotted name, in the order in which they are shown."""
    rows = (
        *_general(),
        *_screen(),
        *_economy(),
        *_discovery(),
        *_prometheus(),
        *_cost(),
        *_tls(),
        *_services(),
        *_demo(),
    )
    return {key.name: key for key in rows}


@cache
def by_path() -> dict[str, Key]:
    """Return every key by its place in Config; flags are named by those."""
    return {key.path or key.name: key for key in table().values()}


def key_of(name: str) -> Key | None:
    """Return the row of a dotted name, which may be that of an engine: engine[2].url."""
    if found := re.fullmatch(r"engine\[\d+\]\.(\w+)", name):
        row = engine().get(found[1])
        return row._replace(name=name) if row else None
    return table().get(name)


def _general() -> tuple[Key, ...]:
    c = Config()
    return (
        Key("interval", "number", c.interval_s, "Seconds between polls", 0.5, 3600.0,
            env=("TOKENTOP_INTERVAL",), flag="--interval", path="interval_s"),
        Key("timeout", "number", c.timeout_s, "Seconds for one request, everything included",
            0.05, 60.0, path="timeout_s"),
        Key("deadline", "number", c.deadline_s, "Seconds in which a one-shot view ends",
            0.1, 60.0, path="deadline_s"),
        Key("max_bytes", "integer", c.max_bytes, "Bytes of one answer; longer ones are refused",
            1024, 64 * 1024 * 1024),
        Key("gpus.enabled", "switch", c.gpus, "Ask the local NVIDIA driver",
            flag="--no-gpus", path="gpus"),
    )  # fmt: skip


def _screen() -> tuple[Key, ...]:
    ui = UiConfig()
    return (
        Key("ui.theme", "choice", ui.theme, f"One of {', '.join(THEMES)}",
            choices=THEMES, flag="--theme"),
        Key("ui.ascii", "switch", ui.ascii, "For fonts without block characters", flag="--ascii"),
        Key("ui.hide", "names", ui.hide, f"Panels to leave out: {', '.join(PANELS)}",
            choices=PANELS, flag="--hide"),
        Key("ui.state", "switch", ui.state, "Remember sort, theme and interval between runs",
            flag="--no-state"),
    )  # fmt: skip


def _economy() -> tuple[Key, ...]:
    p, t, c = PricingPolicy(), TierPolicy(), CapacityPolicy()
    numbers = (
        ("pricing.floor", p.floor, "The lowest multiplier", 0.0, 1e6),
        ("pricing.ceiling", p.ceiling, "The highest multiplier, at least the floor", 0.0, 1e6),
        ("pricing.steepness", p.steepness, "How sharply it rises", 0.01, 1e3),
        ("pricing.midpoint", p.midpoint, "Demand half way up", 0.0, 1.0),
        ("pricing.base_cost_tokens", p.base_cost_tokens,
         "Credits a request, where Mint is silent", 0.0, 1e12),
        ("pricing.tokens_per_usd", p.tokens_per_usd,
         "Credits a US dollar, where Mint is silent", 0.001, 1e12),
        ("pricing.gpu_tokens_per_hour", p.gpu_tokens_per_hour,
         "Credits a GPU-hour, where neither Mint nor an offer says", 0.0, 1e12),
        ("tiers.low", t.low, "Low demand", 0.0, 1.0),
        ("tiers.moderate", t.moderate, "Moderate demand", 0.0, 1.0),
        ("tiers.high", t.high, "High demand", 0.0, 1.0),
        ("tiers.surge", t.surge, "Surge, near capacity", 0.0, 1.0),
        ("tiers.saturated", t.saturated, "Full; this value itself is still surge", 0.0, 1.0),
        ("capacity.scale_up_at", c.scale_up_at,
         "Demand at which the next instance comes", 0.01, 1.0),
        ("capacity.scale_down_below", c.scale_down_below,
         "Demand below which a surplus one goes", 0.0, 1.0),
        ("capacity.scale_down_after_s", c.scale_down_after_s,
         "Seconds below it before one goes", 0.0, 1e6),
        ("health.starting_grace_s", HealthPolicy().starting_grace_s,
         "Seconds that an engine may take to load its model before it counts as down", 0.0, 1e6),
    )  # fmt: skip
    rows = [
        Key(name, "number", default, about, low, high, path=f"policy.{name}")
        for name, default, about, low, high in numbers
    ]
    free = Key(
        "pricing.everything_free", "switch", p.everything_free,
        "Costs are computed and not charged", path="policy.pricing.everything_free",
    )  # fmt: skip
    profile = Key(
        "pressure.profile", "choice", Policy().profile,
        "vram: used memory; serving: the engines' own load; auto: serving where known",
        choices=("auto", "vram", "serving"), path="policy.profile",
    )  # fmt: skip
    return (*rows[:4], free, *rows[4:7], profile, *rows[7:])


def _tls() -> tuple[Key, ...]:
    tls = TlsConfig()
    return (
        Key("tls.ca_bundle", "file", tls.ca_bundle,
            'PEM file; "" looks in $AITHER_HOME and ~/.aither for aithernet-ca-bundle.pem',
            env=("AITHER_CA_BUNDLE",)),
        Key("tls.verify", "switch", tls.verify, "false trusts any certificate; shown as a warning",
            env=("AITHER_TLS_VERIFY",)),
        Key("tls.allow_insecure_token", "switch", tls.allow_insecure_token,
            "Let bearer tokens travel over plain HTTP to other machines"),
    )  # fmt: skip


def _services() -> list[Key]:
    rows: list[Key] = []
    for name, service in SERVICES.items():
        at = f"services.{name}"
        env = tuple(dict.fromkeys((service.env, f"AITHER_{name.upper()}_URL")))
        rows += (
            Key(f"{at}.url", "url", default_url(name, False), "Base URL", env=env),
            Key(f"{at}.enabled", "switch", True, "Ask this service"),
            Key(f"{at}.token_env", "variable", None, "Environment variable holding the token"),
            Key(f"{at}.token_file", "file", None, "File holding the token"),
        )
        rows += [
            Key(f"{at}.paths.{row.name}", "path", row.path, "")
            for row in ENDPOINTS
            if row.service == name
        ]
    return rows


def _demo() -> tuple[Key, ...]:
    d = DemoConfig()
    return (
        Key("demo.enabled", "switch", d.enabled, "A simulated machine", flag="--demo",
            in_file=False),
        Key("demo.part", "choice", d.part, "Which part of it plays", choices=DEMO_PARTS,
            flag="--demo", in_file=False),
        Key("demo.seed", "integer", d.seed, "Repeatable", flag="--demo-seed", in_file=False),
        Key("demo.at_s", "number", d.at_s, "Freeze one moment, in seconds", 0.0, 1e9,
            flag="--demo-at", in_file=False),
    )  # fmt: skip
