"""The doctor's checks of inference engines, direct ones and those of a Prometheus server."""

from tokentop.config.schema import Config, EngineConfig
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import SILENT_STATES, Engine, EngineState
from tokentop.domain.text import approx, fmt_percent, known
from tokentop.domain.urls import is_loopback, split
from tokentop.secret import Secret
from tokentop.transport.discovery.findings import Findings, Found
from tokentop.transport.http.messages import safe_url
from tokentop.views.doctor.checks import milliseconds
from tokentop.views.doctor.report import Mark, Row, Section

NO_ENGINES = 'start one, or name it in the file: [[engine]] url = "http://HOST:PORT"'
# mark, what the state means, and what to do where the engine itself gives no advice
_STATES: dict[EngineState, tuple[Mark, str, str | None]] = {
    "online": ("ok", "answers", None),
    "starting": ("warn", "loads its model", "wait, or see its log"),
    "asleep": ("info", "sleeps: its model is unloaded", "the next request wakes it"),
    "no-metrics": ("warn", "answers, with its statistics disabled", "start it with statistics"),
    "auth-required": (
        "warn",
        "wants a key",
        "name the variable that holds it: [[engine]] url and token_env",
    ),
    "names-only": ("info", "lists its models and no more", "this kind of server has no statistics"),
    "stale": ("warn", "answered before, and is silent now", "see its log"),
    "offline": ("fail", "does not answer", "start it, or correct its address: [[engine]] url"),
    "backing-off": ("warn", "failed often, and is polled rarely", "see its log"),
}
_SOURCES = {
    "reported": "as the server reports",
    "argv": "by its command line",
    "configured": "as configured",
    "derived": "at least: that many ran while others waited",
}
_FOUND_BY = {"gpu": "a GPU's process", "process": "its command line", "port": "a usual port"}


def sections(config: Config, snapshot: Snapshot, findings: Findings | None) -> tuple[Section, ...]:
    """Return one section per engine that is read directly; one in all where there is none."""
    named = {safe_url(engine.url): engine for engine in config.engines}
    found = {one.url: one for one in findings.found} if findings else {}
    direct = [engine for engine in snapshot.engines if engine.source == "direct"]
    if not direct:
        none = Row("info", "engines", "none is configured, and none was found", NO_ENGINES)
        return (Section("Inference engines", (none,)),)
    return tuple(
        Section(
            f"{engine.kind}  {engine.url or ''}".rstrip(),
            _rows(engine, named.get(engine.url or ""), found.get(engine.url or "")),
        )
        for engine in direct
    )


def fleet(config: Config, snapshot: Snapshot) -> tuple[Section, ...]:
    """Return how the configured Prometheus server answers; nothing where none is configured."""
    server = config.prometheus
    if server.url is None:
        return ()
    scraped = [engine for engine in snapshot.engines if engine.source == "prometheus"]
    own = next((engine for engine in scraped if engine.kind == "prometheus"), None)
    members = [engine for engine in scraped if engine is not own]
    found = [Row("warn", "server", "was not polled") if own is None else _server(own)]
    if members or (own is not None and own.state == "online"):
        found += _members(members)
    title = f"Prometheus  {safe_url(server.url)}"
    return (Section(title, (*found, *_key(server.url, server.token))),)


def _server(own: Engine) -> Row:
    if own.state == "online":
        speed = f"answered in {_speed(own)}"
        return Row("warn" if own.advice else "ok", "server", speed, own.advice)
    todo = "correct [prometheus] url, its token_env, or the network"
    return Row("fail", "server", own.error or own.state, todo)


def _members(members: list[Engine]) -> tuple[Row, ...]:
    if not members:
        return (Row("info", "engines", "it has none", "let it scrape the engines' /metrics"),)
    silent = [engine for engine in members if engine.state in SILENT_STATES]
    kinds = ", ".join(sorted({engine.kind for engine in members}))
    words = f"{len(members)} ({kinds}), {len(members) - len(silent)} of them answer its scrapes"
    mark: Mark = "warn" if silent else "ok"
    example = f"see its targets page; for one, {silent[0].name or silent[0].id}" if silent else None
    return (Row(mark, "engines", words, example),)


def _rows(engine: Engine, named: EngineConfig | None, found: Found | None) -> tuple[Row, ...]:
    rows = [_state(engine, named), _origin(engine, named, found), *_model(engine)]
    if engine.state == "online":
        rows.append(_slots(engine))
    if engine.router:
        words = "what it forwards is counted at the engines behind it"
        rows.append(Row("info", "router", words))
    return (*rows, *(_key(named.url, named.token) if named else ()))


def _state(engine: Engine, named: EngineConfig | None) -> Row:
    mark, words, todo = _STATES[engine.state]
    if engine.state == "online":
        words = f"{words} in {_speed(engine)}"
    if engine.error:
        mark = "warn" if mark == "ok" else mark
        words = engine.error if mark == "fail" else f"{words}: {engine.error}"
    # Advice on a key depends on where the engine is configured, which it cannot know itself.
    keyless = engine.state == "auth-required" and (named is None or named.token is None)
    advice = todo if keyless else engine.advice or todo
    return Row(mark, "state", words, advice)


def _origin(engine: Engine, named: EngineConfig | None, found: Found | None) -> Row:
    pids = f", processes {', '.join(map(str, engine.pids[:4]))}" if engine.pids else ""
    if named is not None:
        return Row("info", "known", f"configured as {named.name}{pids}")
    by = f"found by {_FOUND_BY[found.source]}" if found else "found"
    return Row("info", "known", by + pids)


def _model(engine: Engine) -> tuple[Row, ...]:
    others = len(engine.models or ()) - 1
    more = f" and {others} more name{'' if others == 1 else 's'}" if others > 0 else ""
    version = f", version {engine.version}" if engine.version else ""
    if engine.model:
        return (Row("info", "model", f"{engine.model}{more}{version}"),)
    return (Row("info", "model", f"unknown{version}"),) if version else ()


def _slots(engine: Engine) -> Row:
    busy = "unknown" if engine.active is None else str(engine.active)
    waiting = "" if engine.queued is None else f", {engine.queued} waiting"
    used = approx(fmt_percent(engine.kv_cache), engine.kv_estimated)
    kv = f", KV cache {used}" if known(engine.kv_cache) else ""
    if engine.max_slots is not None:
        source = _SOURCES.get(engine.slots_source or "", "")
        slots = approx(str(engine.max_slots), engine.slots_estimated)
        words = f"{busy} of {slots} busy{waiting}{kv}"
        return Row("info", "slots", f"{words}; {engine.max_slots} {source}".rstrip())
    todo = None if engine.router else "set how many it runs at once: [[engine]] max_slots"
    return Row("info", "slots", f"{busy} busy{waiting}{kv}; how many it can run is unknown", todo)


def _key(url: str, token: Secret | None) -> tuple[Row, ...]:
    if token is None:
        return ()
    target = split(url)
    if target is None or target.scheme == "https" or is_loopback(target.host):
        return (Row("ok", "key", "sent to this server alone"),)
    todo = "use an https:// URL or a tunnel"
    return (Row("warn", "key", "travels over plain HTTP: the network can read it", todo),)


def _speed(engine: Engine) -> str:
    return milliseconds(None if engine.latency_ms is None else engine.latency_ms / 1000.0)
