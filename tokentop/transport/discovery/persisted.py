"""The last search's result between two calls: what the one-shot views start from.

Whatever the file holds is checked as untrusted: loopback addresses only (or the hosts that the user
configured), known kinds, plain types.
"""

import os
from collections.abc import Mapping

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.text import clean
from tokentop.domain.urls import LOOPBACK, is_loopback, split
from tokentop.light_typing import get_args
from tokentop.transport.discovery.findings import Findings, Found, Source
from tokentop.transport.discovery.probe_cache import Identity, Key, ProbeCache
from tokentop.transport.procfs import started
from tokentop.transport.user_cache import keep, recall

NAME = "discovery"
VALID_S = 600.0
MAX_ROWS = 256
MAX_BYTES = 2**45

_KINDS = get_args(EngineKind)
_SOURCES = get_args(Source)


def keep_findings(
    findings: Findings, cache: ProbeCache, now: float, environ: Mapping[str, str] = os.environ
) -> bool:
    """Store what was found, and what each socket was; wall clock `now`."""
    document = {
        "found": [list(one) for one in findings.found],
        "configured": [list(one) for one in findings.configured],
        "sockets": [[*key, *one] for key, one in cache.items(now)],
        "complete": findings.complete,
        "processes": _started(findings),
    }
    return keep(NAME, document, now, environ)


def recall_findings(
    now: float,
    environ: Mapping[str, str] = os.environ,
    hosts: tuple[str, ...] = LOOPBACK,
) -> Findings | None:
    """What the last complete search found within ten minutes; `hosts` beside loopback.

    None once a server's process has ended: another one may have its port, or its number.
    """
    document = _document(now, environ)
    if document.get("complete") is not True:
        return None
    found = [_found(row, hosts) for row in _rows(document, "found")]
    configured = [_found(row, hosts) for row in _rows(document, "configured")]
    findings = Findings(
        tuple(one for one in found if one is not None),
        configured=tuple(one for one in configured if one is not None),
    )
    kept = _rows(document, "processes")
    return findings if all(row in kept for row in _started(findings)) else None


def _started(findings: Findings) -> list[list[int | None]]:
    """The servers' processes, each with its start time, None where that is hidden."""
    servers = [one.pids[0] for one in (*findings.found, *findings.configured) if one.pids]
    return [[pid, started("/proc", pid)] for pid in servers]


def recall_probe_cache(now: float, environ: Mapping[str, str] = os.environ) -> ProbeCache:
    """What each socket was, so that a call a second later makes no requests to it."""
    rows = (_socket(row) for row in _rows(_document(now, environ), "sockets"))
    return ProbeCache(dict(row for row in rows if row is not None))


def _document(now: float, environ: Mapping[str, str]) -> dict[str, object]:
    document = recall(NAME, VALID_S, now, environ)
    return document if isinstance(document, dict) else {}


def _rows(document: Mapping[str, object], key: str) -> list[list[object]]:
    rows = document.get(key)
    listed = rows if isinstance(rows, list) else []
    return [row for row in listed[:MAX_ROWS] if isinstance(row, list)]


def _found(row: list[object], hosts: tuple[str, ...]) -> Found | None:
    if len(row) != len(Found._fields):
        return None
    kind, url, pids, slots, model, version, source, runners, one_pool, kv_bytes = row
    if kind not in _KINDS or source not in _SOURCES or not _is_near(url, hosts):
        return None
    origins = runners if isinstance(runners, list) else []
    return Found(
        kind,  # type: ignore[arg-type]  # one of _KINDS
        str(url),
        tuple(pid for pid in (pids if isinstance(pids, list) else []) if _whole(pid)),
        slots if isinstance(slots, int) and _whole(slots) else None,
        clean(model) if isinstance(model, str) else None,
        clean(version) if isinstance(version, str) else None,
        source,  # type: ignore[arg-type]  # one of _SOURCES
        tuple(str(origin) for origin in origins[:16] if _is_near(origin, ())),
        one_pool if isinstance(one_pool, bool) else None,
        kv_bytes if isinstance(kv_bytes, int) and 1 < kv_bytes < MAX_BYTES else None,
    )


def _socket(row: list[object]) -> tuple[Key, Identity] | None:
    if len(row) != len(Identity._fields) + 3:
        return None
    host, port, inode, kind, until, answered, version = row
    if not isinstance(host, str) or not isinstance(port, int) or not isinstance(inode, int):
        return None
    if not isinstance(until, int | float) or not isinstance(answered, str):
        return None
    if kind is not None and kind not in _KINDS:
        return None
    shown = clean(version) if isinstance(version, str) else None
    identity = Identity(kind, until, answered, shown)  # type: ignore[arg-type]  # one of _KINDS
    return (host, port, inode), identity


def _is_near(url: object, hosts: tuple[str, ...]) -> bool:
    target = split(url) if isinstance(url, str) and len(url) < 300 else None
    if target is None or target.userinfo or target.path != "/":
        return False
    return target.host in hosts or is_loopback(target.host)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
