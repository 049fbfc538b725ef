"""Flags over environment over file over defaults -> one frozen Config, or every problem at once."""

from collections.abc import Mapping

from tokentop.config import build, credentials
from tokentop.config.alerts import alerts
from tokentop.config.budgets import budgets
from tokentop.config.draft import ConfigBuilder, Origin
from tokentop.config.keys import by_path, table
from tokentop.config.problems import ConfigError, Problem
from tokentop.config.schema import (
    AuthorizeConfig,
    Config,
    DemoConfig,
    HistoryConfig,
    TlsConfig,
    UiConfig,
)
from tokentop.config.toml_file import FILE_VARIABLE, Document, Parse, parse, read
from tokentop.config.values import check, check_text, nearest
from tokentop.domain.policy import (
    CapacityPolicy,
    DetectorPolicy,
    HealthPolicy,
    Policy,
    PricingPolicy,
    ReplenishmentPolicy,
    TierPolicy,
)

__all__ = ["ConfigError", "Problem", "load"]

PREFIX = "TOKENTOP_"


def load(
    overrides: Mapping[str, object],
    environ: Mapping[str, str],
    path: str | None,
    parse: Parse = parse,
) -> Config:
    """Return the effective configuration; raise ConfigError with every problem found.

    `overrides` holds the flags by dotted key or by place in Config, None where not given; text is
    read as in the environment. `path` is --config's; `parse` takes the path and text of a file.
    """
    builder = ConfigBuilder()
    document = read(path, environ, parse)
    if isinstance(document, Problem):
        builder.problems.append(document)
    elif document is not None:
        _take_file(builder, document)
    _take_environment(builder, environ)
    _warn_of_unknown_variables(builder, environ)
    _take_flags(builder, overrides)
    if builder.values["demo.enabled"] is True:
        from tokentop.config.demo import configure

        configure(builder)
    builder.constrain()
    credentials.find_bundle(builder, environ)
    config = _config(builder, environ, document.path if isinstance(document, Document) else None)
    if builder.problems:
        raise ConfigError(builder.sorted_problems())
    return config._replace(warnings=tuple(map(str, dict.fromkeys(builder.warnings))))


def _take_file(builder: ConfigBuilder, document: Document) -> None:
    from tokentop.config.toml_file import rows, settings

    for at, place in rows(document):
        builder.add_row(at, place)
    for item in settings(document):
        if isinstance(item, Problem):
            builder.problems.append(item)
        else:
            key, raw, origin = item
            builder.put(key, check(key, raw), origin)


def _take_environment(builder: ConfigBuilder, environ: Mapping[str, str]) -> None:
    for key in table().values():
        for name in key.env:
            if text := environ.get(name):
                builder.put(key, check_text(key, text), Origin("environment", name))
                break


def _warn_of_unknown_variables(builder: ConfigBuilder, environ: Mapping[str, str]) -> None:
    """A TOKENTOP_ variable that nothing reads is most likely a misspelt one; values stay unseen."""
    own = sorted(name for name in environ if name.startswith(PREFIX))
    if not own:
        return
    known = {
        FILE_VARIABLE,
        credentials.CONNECT_TOKEN,
        *(name for key in table().values() for name in key.env),
    }
    named = {str(builder.values[key]) for key in builder.values if key.endswith("_env")}
    there = tuple(sorted(name for name in known if name.startswith(PREFIX)))
    for name in own:
        if name not in known | named:
            meant = nearest(name, there)
            mend = f"did you mean {meant}?" if meant else f"there are {', '.join(there)}"
            warning = Origin("environment", name).problem("", f"nothing reads it; {mend}")
            builder.warnings.append(warning)


def _take_flags(builder: ConfigBuilder, overrides: Mapping[str, object]) -> None:
    for name, raw in overrides.items():
        if raw is not None:
            key = by_path()[name] if name in by_path() else table()[name]
            value = check_text(key, raw) if isinstance(raw, str) else check(key, raw)
            builder.put(key, value, Origin("flag", key.flag or name))


def _config(builder: ConfigBuilder, environ: Mapping[str, str], file: str | None) -> Config:
    """Put the values where they belong; what does not fit together becomes a problem."""
    policy = Policy(
        PricingPolicy(**builder.section("policy.pricing")),
        TierPolicy(**builder.section("policy.tiers")),
        CapacityPolicy(**builder.section("policy.capacity")),
        cost=build.cost(builder),
        health=HealthPolicy(**builder.section("policy.health")),
        detector=DetectorPolicy(**builder.section("policy.detector")),
        replenishment=ReplenishmentPolicy(**builder.section("policy.replenishment")),
        **builder.section("policy"),
    )
    return Config(
        services=build.services(builder, environ),
        engines=build.engines(builder, environ),
        alerts=alerts(builder, environ),
        hosts=build.hosts(builder, environ),
        discovery=build.discovery(builder),
        prometheus=build.prometheus(builder, environ),
        serve=build.serve(builder, environ),
        recording=build.recording(builder, environ),
        ledger=build.ledger(builder, environ),
        offers=build.offers(builder, environ),
        budgets=budgets(builder),
        authorize=AuthorizeConfig(**builder.section("authorize")),
        tls=TlsConfig(**builder.section("tls")),
        policy=policy,
        history=HistoryConfig(**builder.section("history")),
        ui=UiConfig(**builder.section("ui")),
        demo=DemoConfig(**builder.section("demo")),
        file=file,
        origins=_origins(builder),
        **builder.section(""),
    )


def _origins(builder: ConfigBuilder) -> tuple[tuple[str, str], ...]:
    names = [*table(), *(name for name in builder.origins if name not in table())]
    return tuple((name, str(builder.origin(name))) for name in names)
