"""Every configuration key as one table: what loads, checks, shows and documents the configuration.

A later section is more rows here and a field in schema.py.
"""

import re
from functools import cache

from tokentop.config import engine_keys
from tokentop.config.key import Key
from tokentop.config.schema import PANELS, THEMES, Config, DemoConfig, TlsConfig, UiConfig
from tokentop.domain.policy import CapacityPolicy, Policy, PricingPolicy, TierPolicy
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES, default_url

__all__ = ["CONSTRAINTS", "SECTIONS", "Key", "by_path", "key_of", "table"]

SECTIONS = {
    "": "",
    "gpus": "This machine's GPUs",
    "ui": "The screen",
    "pricing": "Multiplier: floor + (ceiling - floor) / (1 + e^(-steepness * (x - midpoint)))",
    "pressure": "What counts as full",
    "tiers": "Where each tier starts, as utilisation 0-1, ascending; below `low` is idle",
    "capacity": "When the next instance comes, and when a surplus one goes",
    **engine_keys.SECTIONS,
    "tls": "HTTPS to the services",
    "services.genesis": "The seven services: HTTPS where a CA bundle is found, else HTTP; Genesis "
    "always HTTP.\n# Tokens stay out of this file: name a variable or a file that holds one.",
    "services.genesis.paths": "What is asked, below the URL",
}

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
        *engine_keys.rows(),
        *_tls(),
        *_services(),
        *_demo(),
    )
    return {key.name: key for key in rows}


@cache
def by_path() -> dict[str, Key]:
    """Return every key by its place in Config, for flags, which speak of those."""
    return {key.path or key.name: key for key in table().values()}


def key_of(name: str) -> Key | None:
    """Return the row of a dotted name, which may be that of an engine: engine[2].url."""
    if found := re.fullmatch(r"engine\[\d+\]\.(\w+)", name):
        row = engine_keys.engine().get(found[1])
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
    )  # fmt: skip


def _economy() -> tuple[Key, ...]:
    p, t, c = PricingPolicy(), TierPolicy(), CapacityPolicy()
    numbers = (
        ("pricing.floor", p.floor, "The lowest multiplier", 0.0, 1e6),
        ("pricing.ceiling", p.ceiling, "The highest multiplier, at least the floor", 0.0, 1e6),
        ("pricing.steepness", p.steepness, "How sharply it rises", 0.01, 1e3),
        ("pricing.midpoint", p.midpoint, "Utilisation half way up", 0.0, 1.0),
        ("pricing.base_cost_tokens", p.base_cost_tokens,
         "Tokens a request, where Mint is silent", 0.0, 1e12),
        ("pricing.tokens_per_usd", p.tokens_per_usd,
         "Tokens a US dollar, where Mint is silent", 0.001, 1e12),
        ("pricing.gpu_tokens_per_hour", p.gpu_tokens_per_hour,
         "Tokens a GPU-hour, where neither Mint nor an offer says", 0.0, 1e12),
        ("tiers.low", t.low, "Low demand", 0.0, 1.0),
        ("tiers.moderate", t.moderate, "Moderate demand", 0.0, 1.0),
        ("tiers.high", t.high, "High demand", 0.0, 1.0),
        ("tiers.surge", t.surge, "Surge, near capacity", 0.0, 1.0),
        ("tiers.saturated", t.saturated, "Full; this value itself is still surge", 0.0, 1.0),
        ("capacity.scale_up_at", c.scale_up_at,
         "Utilisation at which the next instance comes", 0.01, 1.0),
        ("capacity.scale_down_below", c.scale_down_below,
         "Utilisation below which a surplus one goes", 0.0, 1.0),
        ("capacity.scale_down_after_s", c.scale_down_after_s,
         "Seconds below it before one goes", 0.0, 1e6),
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
            "Let tokens travel over plain HTTP to other machines"),
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
        Key("demo.enabled", "switch", d.enabled, "A simulated stack", flag="--demo", in_file=False),
        Key("demo.seed", "integer", d.seed, "Repeatable", flag="--demo-seed", in_file=False),
        Key("demo.at_s", "number", d.at_s, "Freeze one moment, in seconds", 0.0, 1e9,
            flag="--demo-at", in_file=False),
    )  # fmt: skip
