"""Every configuration key as one table: what loads, checks, shows and documents the configuration.

A new key is one row here, or in another of the *_keys.py, and a field in schema.py or policy.py.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

from tokentop.config.alert_keys import alert_keys, alerts_keys
from tokentop.config.budget_keys import authorize_keys, budget_keys
from tokentop.config.key import Key
from tokentop.config.ledger_keys import ledger_keys
from tokentop.config.policy_keys import cost_keys, economy_keys, policy_keys
from tokentop.config.schema import (
    DEMO_PARTS,
    PANELS,
    THEMES,
    Config,
    DemoConfig,
    HistoryConfig,
    RecordingConfig,
    ServeConfig,
    TlsConfig,
    UiConfig,
)
from tokentop.config.source_keys import source_keys
from tokentop.domain.engines.readings import EngineKind
from tokentop.light_typing import get_args
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES, default_url

KINDS: tuple[str, ...] = get_args(EngineKind)


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


@cache
def host() -> dict[str, Key]:
    """The keys of one [[host]] by their own names."""
    rows = (
        Key("url", "url", None, "Base URL of its `tokentop serve`", sample="http://gpu-box:8765"),
        Key("name", "text", None, "What to call it; else its host and port", sample="gpu-box"),
        Key("token_env", "variable", None, "Environment variable holding its token"),
        Key("token_file", "file", None, "File holding its token"),
    )  # fmt: skip
    return {row.name: row for row in rows}


ARRAYS: dict[str, Callable[[], dict[str, Key]]] = {
    "engine": engine,
    "host": host,
    "alert": alert_keys,
    "budget": budget_keys,
}
"""The tables that there may be many of, once for each."""


def row_keys(at: str) -> dict[str, Key]:
    """The keys of the table `at`, like engine[2], by their own names."""
    return ARRAYS[at.partition("[")[0]]()


def _history() -> tuple[Key, ...]:
    h = HistoryConfig()
    return (
        Key("history.enabled", "switch", h.enabled,
            "Keep the past of what screen, --watch and serve poll", env=("TOKENTOP_HISTORY",)),
        Key("history.max_mb", "number", h.max_mb, "MiB that it may take; the oldest goes first",
            1.0, 100_000.0),
    )  # fmt: skip


def _serve() -> tuple[Key, ...]:
    s = ServeConfig()
    return (
        Key("serve.host", "host", s.host, "Address to listen on; beyond this machine with a token",
            flag="--host"),
        Key("serve.port", "integer", s.port, "Port to listen on; 0 takes a free one", 0, 65535,
            flag="--port"),
        Key("serve.token_env", "variable", None, "Environment variable holding the token"),
        Key("serve.token_file", "file", None, "File holding the token", flag="--token-file"),
        Key("serve.insecure_no_auth", "switch", s.insecure_no_auth,
            "true answers other machines without a token", flag="--insecure-no-auth"),
        Key("serve.web", "switch", s.web, "true shows the screen in browsers too", flag="--web"),
        Key("serve.allowed_hosts", "hosts", s.allowed_hosts,
            "Names by which clients may call it, besides addresses and the host's own",
            sample=["gpu-box.example"]),
        Key("serve.cors_origins", "origins", s.cors_origins, "Web pages that may read it",
            sample=["https://dash.example"]),
    )  # fmt: skip


def _recording() -> tuple[Key, ...]:
    r = RecordingConfig()
    return (
        Key("recording.file", "file", r.file, "Where each poll's snapshot is recorded",
            flag="--record", sample="~/tokentop.rec"),
        Key("recording.rotate_mb", "number", r.rotate_mb,
            "Millions of bytes after which a new file is begun", 0.1, 1e6),
        Key("recording.rotate_hours", "number", r.rotate_hours,
            "Hours after which a new file is begun", 0.01, 1e5),
        Key("recording.keep", "integer", r.keep, "How many full files are kept", 1, 1000),
    )  # fmt: skip


@cache
def table() -> dict[str, Key]:
    """Return every key by its dotted name, in the order in which they are shown."""
    rows = (
        *_general(),
        *_screen(),
        *policy_keys(),
        *source_keys(),
        *_history(),
        *alerts_keys(),
        *_serve(),
        *_recording(),
        *ledger_keys(),
        *authorize_keys(),
        *economy_keys(),
        *cost_keys(),
        *_tls(),
        *_services(),
        *_demo(),
    )
    return {key.name: key for key in rows}


@cache
def by_path() -> dict[str, Key]:
    """Return every key by its place in Config; flags are named by those."""
    return {key.path or key.name: key for key in table().values()}


def fields(path: str) -> Mapping[str, str]:
    """Return the names of the keys directly in this place of Config, by field."""
    return _fields().get(path, {})


@cache
def _fields() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key in table().values():
        holder, _, field = (key.path or key.name).rpartition(".")
        found.setdefault(holder, {})[field] = key.name
    return found


def key_of(name: str) -> Key | None:
    """Return the row of a dotted name, which may be that of one of many: engine[2].url."""
    if (found := re.fullmatch(r"(\w+)\[\d+\]\.(\w+)", name)) and found[1] in ARRAYS:
        row = ARRAYS[found[1]]().get(found[2])
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
        Key("connect", "urls", c.connect, "Show what the `tokentop serve` there shows",
            flag="--connect", in_file=False, sample=["http://gpu-box:8765"]),
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
        Key("ui.state", "switch", ui.state, "Keep sort, theme, interval and history between runs",
            flag="--no-state"),
    )  # fmt: skip


def _tls() -> tuple[Key, ...]:
    tls = TlsConfig()
    return (
        Key("tls.ca_bundle", "file", tls.ca_bundle,
            'PEM file; "" looks in $AITHER_HOME and ~/.aither for aithernet-ca-bundle.pem',
            env=("AITHER_CA_BUNDLE",)),
        Key("tls.verify", "switch", tls.verify, "false trusts any certificate; shown as a warning",
            env=("AITHER_TLS_VERIFY",)),
        Key("tls.allow_insecure_token", "switch", tls.allow_insecure_token,
            "Let bearer tokens travel over plain HTTP to other machines"),
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
        Key("demo.enabled", "switch", d.enabled, "A simulated machine", flag="--demo",
            in_file=False),
        Key("demo.part", "choice", d.part, "Which part of it plays", choices=DEMO_PARTS,
            flag="--demo", in_file=False),
        Key("demo.seed", "integer", d.seed, "Repeatable", flag="--demo-seed", in_file=False),
        Key("demo.at_s", "number", d.at_s, "Freeze one moment, in seconds", 0.0, 1e9,
            flag="--demo-at", in_file=False),
    )  # fmt: skip
