"""Which engines there are to ask: those found lately, else whom a short search finds.

The search's modules are imported only where a search, or a kept result with engines in it, needs
them; a box without engines pays for one small file.
"""

from time import time

from tokentop.config.schema import Config
from tokentop.light_typing import TYPE_CHECKING, Any
from tokentop.named_tuple import NamedTuple
from tokentop.transport.user_cache import keep, recall

if TYPE_CHECKING:
    from tokentop.collect.engine import Found
    from tokentop.transport.discovery.candidates import SearchScope
    from tokentop.transport.discovery.findings import Findings

NAME = "discovery"
KEPT_S = 600.0
NONE_FOUND_TTL_S = 60.0  # that there was no engine is believed for less long


class Discovered(NamedTuple):
    """Engines as the desk adopts them; `starting` do not listen yet."""

    found: "tuple[Found, ...]" = ()
    starting: "tuple[Found, ...]" = ()


def discovered(findings: "Findings") -> Discovered:
    """A search's result, with what it tells of the engines that the user configured."""
    return Discovered((*findings.found, *findings.configured), findings.starting)


def recent(config: Config) -> Discovered | None:
    """What the last search found, even if nobody; None where one is due."""
    now = time()
    document: Any = recall(NAME, KEPT_S, now)
    if not isinstance(document, dict) or document.get("complete") is not True:
        return None
    if not document.get("found") and not document.get("configured"):
        return None if recall(NAME, NONE_FOUND_TTL_S, now) is None else Discovered()
    from tokentop.transport.discovery.persisted import recall_findings

    findings = recall_findings(now, hosts=config.discovery.hosts)
    return None if findings is None else discovered(findings)


def search(config: Config, gpu_pids: tuple[int, ...], limit_s: float) -> "Findings":
    """Search now, for at most `limit_s` seconds, and keep what was found for the next call."""
    from tokentop.transport.discovery.persisted import keep_findings, recall_probe_cache
    from tokentop.transport.discovery.search import find

    memory = recall_probe_cache(time())
    findings = find(plan(config, gpu_pids), memory, time(), limit_s)
    # An engine that starts answers soon: until then the next call searches again.
    settled = findings.complete and not findings.starting
    keep_findings(findings._replace(complete=settled), memory, time())
    return findings


def forget() -> None:
    """Let the next call search: one of those found last is gone."""
    keep(NAME, {"complete": False}, time())


def plan(config: Config, gpu_pids: tuple[int, ...]) -> "SearchScope":
    """What to look for; addresses that the user configured for something are not asked."""
    from tokentop.domain.urls import split
    from tokentop.transport.discovery.candidates import SearchScope

    named = [engine.url for engine in config.engines]
    named += [one.url for one in config.services if one.enabled and one.configured]
    targets = [target for url in named if (target := split(url)) is not None]
    return SearchScope(
        gpu_pids=gpu_pids,
        hosts=config.discovery.hosts,
        ports=config.discovery.ports,
        exclude=config.discovery.exclude,
        taken=tuple((target.host, target.port) for target in targets),
    )
