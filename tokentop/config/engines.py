"""The engines the user named, where others are looked for, and the fleet's server."""

from collections.abc import Mapping

from tokentop.config import credentials
from tokentop.config.draft import ConfigBuilder
from tokentop.config.schema import DiscoveryConfig, EngineConfig, PrometheusConfig
from tokentop.config.values import split_url
from tokentop.domain.policy import CostPolicy


def build(builder: ConfigBuilder, environ: Mapping[str, str]) -> tuple[EngineConfig, ...]:
    """Return the engines in the file's order; problems go to the draft."""
    seen: dict[str, str] = {}
    return tuple(_engine(at, seen, builder, environ) for at in builder.engines)


def discovery(builder: ConfigBuilder) -> DiscoveryConfig:
    """Return where engines are looked for."""
    return DiscoveryConfig(**builder.section("discovery"))


def prometheus(builder: ConfigBuilder, environ: Mapping[str, str]) -> PrometheusConfig:
    """Return the fleet's server; what is not asked needs neither token nor bundle."""
    url = builder.values["prometheus.url"]
    values = builder.section("prometheus")
    if url is None:
        return PrometheusConfig(None, None, None, values["group_by"], values["verify"])
    if values["ca_bundle"] is not None:
        credentials.bundle("prometheus.ca_bundle", builder, environ, "use the system's own")
    token = credentials.token("prometheus", builder, environ) if _same_server(builder) else None
    if token is not None:
        credentials.refuse_cleartext("prometheus", str(url), builder)
    path = builder.section("prometheus")["ca_bundle"]
    return PrometheusConfig(str(url), token, path, values["group_by"], values["verify"])


def cost(builder: ConfigBuilder) -> CostPolicy:
    """Return the costs, after looking for what contradicts itself or is only half said."""
    policy = CostPolicy(**builder.section("policy.cost"))
    if policy.usd_per_gpu_hour is not None:
        for owned in ("purchase_usd", "months", "usd_per_kwh"):
            _not_beside(f"cost.{owned}", builder)
    for one, other in (("purchase_usd", "months"), ("months", "purchase_usd"),
                       ("reference_name", "reference_usd_per_mtok")):  # fmt: skip
        _needs(f"cost.{one}", f"cost.{other}", builder)
    return policy


def _engine(
    at: str, seen: dict[str, str], builder: ConfigBuilder, environ: Mapping[str, str]
) -> EngineConfig:
    values = builder.section(at)
    url = values["url"]
    if url is None and builder.is_valid(f"{at}.url"):
        builder.add_problem(f"{at}.url", 'is missing; write url = "http://gpu-box:8000"')
    name = values["name"]
    if name is not None:
        _only(f"{at}.name", f"the name {name}", seen, builder)
    if url is not None:
        _only(f"{at}.url", f"the URL {url}", seen, builder)
    token = credentials.token(at, builder, environ)
    if token is not None and url is not None:
        credentials.refuse_cleartext(at, url, builder)
    return EngineConfig(
        name or _called(str(url), seen), str(url), values["kind"], token, values["max_slots"]
    )


def _called(url: str, seen: dict[str, str]) -> str:
    """An engine without a name goes by its address."""
    short = url.partition("://")[2]
    return url if f"the name {short}" in seen else short


def _only(key: str, what: str, seen: dict[str, str], builder: ConfigBuilder) -> None:
    """Complain where another engine has that too."""
    first = seen.setdefault(what, key)
    if first != key:
        holder = first.rpartition(".")[0]
        builder.add_problem(
            key, f"{what} is {holder}'s already; change it, or remove one of the two"
        )


def _same_server(builder: ConfigBuilder) -> bool:
    """Whether the token, if it stands in the file, stands beside the server that is asked.

    A URL given for once, by a flag, must not carry away what was meant for another host.
    """
    beside, asked = builder.replaced.get("prometheus.url"), builder.values["prometheus.url"]
    return beside is None or _origin(str(beside)) == _origin(str(asked))


def _origin(url: str) -> tuple[object, ...]:
    parts = split_url(url) or ("", "", None, "")
    port = parts[2] or (443 if parts[0] == "https" else 80)
    return parts[0], parts[1].lower(), port


def _not_beside(key: str, builder: ConfigBuilder) -> None:
    if builder.values[key] is not None and builder.is_valid(key, "cost.usd_per_gpu_hour"):
        text = "is for owned GPUs, and usd_per_gpu_hour says they are rented; keep one of the two"
        builder.add_problem(key, text)


def _needs(key: str, other: str, builder: ConfigBuilder) -> None:
    if builder.values[key] is None or builder.values[other] is not None:
        return
    if builder.is_valid(key, other):
        builder.add_problem(key, f"means nothing without {other}; set that too, or remove this")
