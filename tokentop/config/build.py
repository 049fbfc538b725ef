"""Services, engines, hosts, discovery, costs and more, built from checked values."""

from collections.abc import Mapping

from tokentop.config.credentials import (
    bundle,
    connect_token,
    key_of_token,
    read_token,
    read_webhook,
    refuse_cleartext,
    resolve,
)
from tokentop.config.draft import ConfigBuilder
from tokentop.config.schema import (
    PROVIDERS,
    DiscoveryConfig,
    EngineConfig,
    HostConfig,
    LedgerConfig,
    MappingConfig,
    OffersConfig,
    PrometheusConfig,
    ProviderConfig,
    RecordingConfig,
    ServeConfig,
    ServiceConfig,
)
from tokentop.domain.policy import CostPolicy
from tokentop.domain.urls import origin
from tokentop.secret import Secret
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES, default_url


def services(builder: ConfigBuilder, environ: Mapping[str, str]) -> tuple[ServiceConfig, ...]:
    """Return the services, after `find_bundle`; problems with tokens go to the draft."""
    return tuple(_service(name, builder, environ) for name in SERVICES)


def _service(name: str, builder: ConfigBuilder, environ: Mapping[str, str]) -> ServiceConfig:
    at = f"services.{name}"
    configured = builder.origin(f"{at}.url").kind != "default"
    if not configured:
        ca_found = builder.values["tls.ca_bundle"] is not None
        builder.values[f"{at}.url"] = default_url(name, ca_found)
    url, enabled = str(builder.values[f"{at}.url"]), builder.values[f"{at}.enabled"] is True
    token = read_token(at, builder, environ) if enabled else None
    if token is not None:
        _refuse_default_cleartext(name, url, configured, builder)
    paths = (f"{at}.paths.{row.name}" for row in ENDPOINTS if row.service == name)
    changed = (key for key in paths if builder.origin(key).kind != "default")
    named = tuple((key.rpartition(".")[2], str(builder.values[key])) for key in changed)
    return ServiceConfig(name, url, enabled, configured, token, named)


def _refuse_default_cleartext(
    name: str, url: str, configured: bool, builder: ConfigBuilder
) -> None:
    """A token goes to a configured address, or to the stack's default address by HTTPS only."""
    at = f"services.{name}"
    if configured:
        refuse_cleartext(at, url, builder)
    elif url.startswith("http:") and SERVICES[name].tls and not _allowed(builder):
        mend = f"set tls.ca_bundle, or {at}.url to choose plain HTTP"
        text = f"no CA bundle was found, so the token has no HTTPS to go by; {mend}"
        builder.add_problem(key_of_token(at, builder), text)


def _allowed(builder: ConfigBuilder) -> bool:
    return builder.values["tls.allow_insecure_token"] is True


def engines(builder: ConfigBuilder, environ: Mapping[str, str]) -> tuple[EngineConfig, ...]:
    """Return the engines in the file's order; problems go to the draft."""
    seen: dict[str, str] = {}
    return tuple(_engine(at, seen, builder, environ) for at in builder.rows["engine"])


def hosts(builder: ConfigBuilder, environ: Mapping[str, str]) -> tuple[HostConfig, ...]:
    """Return what --connect names, with the [[host]] of the same URL; else every [[host]]."""
    seen: dict[str, str] = {}
    rows = [_host(at, seen, builder, environ) for at in builder.rows["host"]]
    wanted = builder.values["connect"]
    assert isinstance(wanted, tuple)
    if not wanted:
        return tuple(rows)
    known = {row.url: row for row in rows}
    token = connect_token(wanted, builder, environ)
    return tuple(known.get(url) or HostConfig(_called(url, seen), url, token) for url in wanted)


def _host(
    at: str, seen: dict[str, str], builder: ConfigBuilder, environ: Mapping[str, str]
) -> HostConfig:
    url, name, token = _named_url(at, "http://gpu-box:8765", seen, builder, environ)
    return HostConfig(name, url, token)


def discovery(builder: ConfigBuilder) -> DiscoveryConfig:
    """Return where engines are looked for."""
    return DiscoveryConfig(**builder.section("discovery"))


def prometheus(builder: ConfigBuilder, environ: Mapping[str, str]) -> PrometheusConfig:
    """Return the Prometheus server; without a URL neither token nor CA bundle is checked."""
    url = builder.values["prometheus.url"]
    values = builder.section("prometheus")
    if url is None:
        return PrometheusConfig(None, None, None, values["group_by"], values["verify"])
    if values["ca_bundle"] is not None:
        bundle("prometheus.ca_bundle", builder, environ, "use the system's own")
    token = read_token("prometheus", builder, environ) if _same_server(builder) else None
    if token is not None:
        refuse_cleartext("prometheus", str(url), builder)
    path = builder.section("prometheus")["ca_bundle"]
    return PrometheusConfig(str(url), token, path, values["group_by"], values["verify"])


def offers(builder: ConfigBuilder, environ: Mapping[str, str]) -> OffersConfig:
    """Return the clouds whose offers are read; an API key goes by HTTPS, or to this machine."""
    return OffersConfig(
        **{field: _provider(at, builder, environ) for field, at in PROVIDERS.items()}
    )


def _provider(name: str, builder: ConfigBuilder, environ: Mapping[str, str]) -> ProviderConfig:
    at = f"offers.{name}"
    url, token = str(builder.values[f"{at}.url"]), read_token(at, builder, environ)
    if token is not None:
        refuse_cleartext(at, url, builder)
    return ProviderConfig(url, token)


def serve(builder: ConfigBuilder, environ: Mapping[str, str]) -> ServeConfig:
    """Return what `tokentop serve` listens on; its token is read when it serves."""
    values = builder.section("serve")
    if values["token_env"] and values["token_file"]:
        builder.add_problem("serve.token_file", "stands beside token_env; keep one of the two")
    elif values["token_file"]:
        origin = builder.origin("serve.token_file")
        values["token_file"] = resolve(values["token_file"], origin, environ)
    return ServeConfig(**values)


def recording(builder: ConfigBuilder, environ: Mapping[str, str]) -> RecordingConfig:
    """Return where and how snapshots are recorded."""
    values = builder.section("recording")
    if values["file"]:
        values["file"] = resolve(values["file"], builder.origin("recording.file"), environ)
    return RecordingConfig(**values)


def ledger(builder: ConfigBuilder, environ: Mapping[str, str]) -> LedgerConfig:
    """Return where the ledger is; it is opened by the commands that need it."""
    values = builder.section("ledger")
    for name in ("path", "valuation", "key_file", "token_file", "archive", "checkpoint_file"):
        if values[name] is not None:
            values[name] = resolve(values[name], builder.origin(f"ledger.{name}"), environ)
    if values["url"] and values["path"]:
        builder.add_problem("ledger.url", "stands beside path; keep one of the two")
    if values["token_env"] and values["token_file"]:
        builder.add_problem("ledger.token_file", "stands beside token_env; keep one of the two")
    named = builder.section("ledger.mapping").items()
    values |= {
        "password": read_token("ledger", builder, environ, "password") if values["url"] else None,
        "webhook": read_webhook("ledger", builder, environ),
        "mapping": MappingConfig(**{name: tuple(map(str.lower, each)) for name, each in named}),
    }
    return LedgerConfig(**{name: values[name] for name in LedgerConfig._fields})


def cost(builder: ConfigBuilder) -> CostPolicy:
    """Return the costs; contradictory or incomplete ones become problems."""
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
    url, name, token = _named_url(at, "http://gpu-box:8000", seen, builder, environ)
    values = builder.section(at)
    return EngineConfig(name, url, values["kind"], token, values["max_slots"])


def _named_url(
    at: str, sample: str, seen: dict[str, str], builder: ConfigBuilder, environ: Mapping[str, str]
) -> tuple[str, str, Secret | None]:
    """URL, name and token of one of many, of which no two have the same name or URL."""
    values = builder.section(at)
    url, name = values["url"], values["name"]
    if url is None and builder.is_valid(f"{at}.url"):
        builder.add_problem(f"{at}.url", f'is missing; write url = "{sample}"')
    if name is not None:
        only(f"{at}.name", f"the name {name}", seen, builder)
    if url is not None:
        only(f"{at}.url", f"the URL {url}", seen, builder)
    token = read_token(at, builder, environ)
    if token is not None and url is not None:
        refuse_cleartext(at, url, builder)
    return str(url), name or _called(str(url), seen), token


def _called(url: str, seen: dict[str, str]) -> str:
    """What has no name goes by its address."""
    short = url.partition("://")[2]
    return url if f"the name {short}" in seen else short


def only(key: str, what: str, seen: dict[str, str], builder: ConfigBuilder) -> None:
    """Add a problem where another table has the same value."""
    first = seen.setdefault(what, key)
    if first != key:
        holder = first.rpartition(".")[0]
        builder.add_problem(
            key, f"{what} is {holder}'s already; change it, or remove one of the two"
        )


def _same_server(builder: ConfigBuilder) -> bool:
    """Whether a token from the file was configured for the server that will be polled.

    A URL from a flag must not send a token that the file configures for another host.
    """
    beside, asked = builder.replaced.get("prometheus.url"), builder.values["prometheus.url"]
    return beside is None or origin(str(beside)) == origin(str(asked))


def _not_beside(key: str, builder: ConfigBuilder) -> None:
    if builder.values[key] is not None and builder.is_valid(key, "cost.usd_per_gpu_hour"):
        text = "is for owned GPUs, and usd_per_gpu_hour says they are rented; keep one of the two"
        builder.add_problem(key, text)


def _needs(key: str, other: str, builder: ConfigBuilder) -> None:
    if builder.values[key] is None or builder.values[other] is not None:
        return
    if builder.is_valid(key, other):
        builder.add_problem(key, f"means nothing without {other}; set that too, or remove this")
