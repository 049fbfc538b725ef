"""The table's rows about inference engines: where they are, and what they cost."""

from functools import cache
from typing import get_args

from tokentop.config.key import Key
from tokentop.config.schema import DiscoveryConfig, PrometheusConfig
from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.policy import CostPolicy

ARRAY = "engine"  # [[engine]], once for each
KINDS: tuple[str, ...] = get_args(EngineKind)

SECTIONS = {
    "discovery": "Inference engines are looked for here (GET only), besides those named below",
    "prometheus": "A fleet, read from a server that speaks Prometheus' query API",
    "cost": "What the GPUs cost: rented (usd_per_gpu_hour) or owned (the three keys below it)",
}


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


def rows() -> tuple[Key, ...]:
    """The keys that stand in the file once."""
    return (*_discovery(), *_prometheus(), *_cost())


def _discovery() -> tuple[Key, ...]:
    d = DiscoveryConfig()
    return (
        Key("discovery.enabled", "switch", d.enabled, "DrawOptions for engines",
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
            "Share of generated tokens ending in abort, error or length that gets a mark",
            0.0, 1.0, path="policy.cost.silent_burn_at"),
    )  # fmt: skip
