"""The keys of what is polled beside the seven services: found engines, a fleet, clouds."""

from tokentop.config.key import Key
from tokentop.config.schema import PROVIDERS, DiscoveryConfig, OffersConfig, PrometheusConfig


def source_keys() -> tuple[Key, ...]:
    """The keys of [discovery], [prometheus] and [offers.NAME]."""
    return (*_discovery(), *_prometheus(), *_offers())


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


def _offers() -> list[Key]:
    rows: list[Key] = []
    for field, default in OffersConfig()._asdict().items():
        at = f"offers.{PROVIDERS[field]}"
        rows += (
            Key(f"{at}.url", "url", default.url, "Base URL", path=f"offers.{field}.url"),
            Key(f"{at}.token_env", "variable", None, "Environment variable holding the API key"),
            Key(f"{at}.token_file", "file", None, "File holding the API key"),
        )
    return rows
