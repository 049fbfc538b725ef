"""Flags over environment over file over defaults -> one frozen Config, or every problem at once."""

from collections.abc import Mapping

from tokentop.config import engines, services
from tokentop.config.draft import Draft, Origin
from tokentop.config.file import Document, read
from tokentop.config.keys import by_slot, table
from tokentop.config.problems import ConfigError, Problem
from tokentop.config.schema import Config, DemoConfig, TlsConfig, UiConfig
from tokentop.config.values import check, check_text
from tokentop.domain.policy import CapacityPolicy, Policy, PricingPolicy, TierPolicy

__all__ = ["ConfigError", "Problem", "load"]


def load(overrides: Mapping[str, object], environ: Mapping[str, str], path: str | None) -> Config:
    """Return the effective configuration; raise ConfigError with every problem found.

    `overrides` holds the flags by dotted key or by place in Config, None where not given; text is
    read as in the environment. `path` is --config's.
    """
    draft = Draft()
    document = read(path, environ)
    if isinstance(document, Problem):
        draft.problems.append(document)
    elif document is not None:
        _take_file(draft, document)
    _take_environment(draft, environ)
    _take_flags(draft, overrides)
    draft.constrain()
    services.find_bundle(draft, environ)
    config = _config(draft, environ, document.path if isinstance(document, Document) else None)
    if draft.problems:
        raise ConfigError(draft.sorted_problems())
    return config


def _take_file(draft: Draft, document: Document) -> None:
    from tokentop.config.document import engines, settings

    for at, place in engines(document):
        draft.add_engine(at, place)
    for item in settings(document):
        if isinstance(item, Problem):
            draft.problems.append(item)
        else:
            key, raw, origin = item
            draft.put(key, check(key, raw), origin)


def _take_environment(draft: Draft, environ: Mapping[str, str]) -> None:
    for key in table().values():
        for name in key.env:
            if text := environ.get(name):
                draft.put(key, check_text(key, text), Origin("environment", name))
                break


def _take_flags(draft: Draft, overrides: Mapping[str, object]) -> None:
    for name, raw in overrides.items():
        if raw is not None:
            key = by_slot()[name] if name in by_slot() else table()[name]
            value = check_text(key, raw) if isinstance(raw, str) else check(key, raw)
            draft.put(key, value, Origin("flag", key.flag or name))


def _config(draft: Draft, environ: Mapping[str, str], file: str | None) -> Config:
    """Put the values where they belong; what does not fit together becomes a problem."""
    policy = Policy(
        PricingPolicy(**draft.section("policy.pricing")),
        TierPolicy(**draft.section("policy.tiers")),
        CapacityPolicy(**draft.section("policy.capacity")),
        cost=engines.cost(draft),
        **draft.section("policy"),
    )
    return Config(
        services=services.build(draft, environ),
        engines=engines.build(draft, environ),
        discovery=engines.discovery(draft),
        prometheus=engines.prometheus(draft, environ),
        tls=TlsConfig(**draft.section("tls")),
        policy=policy,
        ui=UiConfig(**draft.section("ui")),
        demo=DemoConfig(**draft.section("demo")),
        file=file,
        origins=_origins(draft),
        **draft.section(""),
    )


def _origins(draft: Draft) -> tuple[tuple[str, str], ...]:
    names = [*table(), *(name for name in draft.origins if name not in table())]
    return tuple((name, str(draft.origin(name))) for name in names)
