"""The configuration in words: what is in effect and why, and a commented file to start from."""

from collections.abc import Sequence

from tokentop.config.key import Key
from tokentop.config.keys import ARRAYS, row_keys, table
from tokentop.config.problems import printable
from tokentop.config.schema import (
    AlertConfig,
    Config,
    EngineConfig,
    HostConfig,
    ServiceConfig,
)
from tokentop.config.toml_file import usual_places
from tokentop.config.values import toml
from tokentop.domain.policy import BudgetRule

SECTIONS = {
    "": "",
    "gpus": "This machine's GPUs",
    "ui": "The screen",
    "pricing": "Multiplier: floor + (ceiling - floor) / (1 + e^(-steepness * (x - midpoint)))",
    "pressure": "What counts as full",
    "tiers": "Where each tier starts, as demand 0-1, ascending; below `low` is idle",
    "capacity": "When the next instance comes, and when a surplus one goes",
    "discovery": "Inference engines are looked for here (GET only), besides those named below",
    "prometheus": "A fleet, read from a server that speaks Prometheus' query API",
    "offers.vast": "Clouds that rent GPUs: their offers and your instances, each list once in\n"
    "# five minutes, GET only. Off until a variable or a file with an API key is named.",
    "recording": "Snapshots, to be played by `tokentop replay FILE`",
    "history": "The past: $XDG_STATE_HOME/tokentop, else ~/.local/state/tokentop",
    "serve": "tokentop serve: who may ask, and where. The token stays out of this file",
    "ledger": "tokentop ledger: who spent what, kept in one file that is only added to",
    "authorize": "tokentop serve: how /v1/authorize refuses those whose budgets are spent",
    "ledger.mapping": "Whose usage it is: attributes that are looked at before the usual ones",
    "detector": "What is flagged: tasks far beyond their kind, projects together beyond a limit",
    "replenishment": "Budgets in credits as they run out; without above and below left alone",
    "alerts": "Alerts are events (v); where an action of theirs leads",
    "cost": "What the GPUs cost: rented (usd_per_gpu_hour) or owned (the three keys below it)",
    "tls": "HTTPS to the services",
    "services.genesis": "The seven services: HTTPS where a CA bundle is found, else HTTP; Genesis "
    "always HTTP.\n# Tokens stay out of this file: name a variable or a file that holds one.",
    "services.genesis.paths": "What is asked, below the URL",
}

_OneOfMany = EngineConfig | HostConfig | AlertConfig | BudgetRule

HEADER = """\
# tokentop's configuration. Every key stands here at its default, switched off by a leading "#":
# remove that "#" (where a space follows it, it is an explanation) and change the value.
# Flags win over environment variables, those over this file. `tokentop config` shows the result.
"""


def effective(config: Config) -> str:
    """Return `key = value  # origin` lines; tokens are ***, URLs were refused if they held any."""
    origins = dict(config.origins)
    rows = [(name, _value(config, key)) for name, key in table().items() if _kept(config, key)]
    held = [f"services.{row.name}" for row in config.services if row.token is not None]
    held += [f"offers.{name}" for name in config.offers.configured()]
    held += ["prometheus"] if config.prometheus.token is not None else []
    rows += [(f"{at}.token", "***") for at in held]
    lines = _aligned([(f"{name} = {value}", origins.get(name, "default")) for name, value in rows])
    tables: dict[str, Sequence[_OneOfMany]]
    tables = {"engine": config.engines, "host": config.hosts, "alert": config.alerts.rows,
              "budget": config.budgets}  # fmt: skip
    for array, many in tables.items():
        for number, one in enumerate(many, 1):
            lines += ["", f"[[{array}]]", *_row(f"{array}[{number}]", one, origins)]
    return "\n".join([f"# {_file(config)}", *lines]) + "\n"


def example() -> str:
    """Return a commented file; with its settings uncommented it loads clean and changes nothing."""
    sections: dict[str, list[Key]] = {}
    for key in table().values():
        if key.in_file:
            sections.setdefault(key.section, []).append(key)
    texts = {name: _section(name, keys) for name, keys in sections.items()}
    texts["discovery"] += "\n" + "\n".join(map(_row_example, ("engine", "host")))
    texts["alerts"] += "\n" + _row_example("alert")
    texts["authorize"] += "\n" + _row_example("budget")
    return "\n".join([HEADER, *texts.values()])


def _row(at: str, row: _OneOfMany, origins: dict[str, str]) -> list[str]:
    """The lines of one block of an array, like [[engine]]."""
    values = row._asdict() | {"token": None}
    if isinstance(row, BudgetRule):
        values[row.scope] = row.who
    pairs = [
        (f"{name} = {toml(values[name])}", origins.get(f"{at}.{name}", "default"))
        for name in row_keys(at)
        if name in values
    ]
    if getattr(row, "token", None) is not None:
        pairs.append(("token = ***", origins.get(f"{at}.token", "flag --token-file")))
    return _aligned(pairs)


_ROWS = {
    "engine": "An engine that is not found by itself",
    "alert": "An alert; README has the language of its rules",
    "budget": "What a user, a project or a team may spend in a period",
    "host": "A machine whose `tokentop serve` is shown, in a table of all of them",
}


def _row_example(array: str) -> str:
    """A block to copy: there is none by default, so all of it is explanation."""
    keys = ARRAYS[array]().values()
    settings = [f"# {key.leaf} = {toml(key.example)}" for key in keys]
    width = max(map(len, settings))
    lines = [f"{text:<{width}}  # {_help(key)}" for text, key in zip(settings, keys, strict=True)]
    first = f'# {_ROWS[array]}; one such block for each, without the "# "'
    return "\n".join([first, f"# [[{array}]]", *lines]) + "\n"


def _aligned(pairs: list[tuple[str, str]]) -> list[str]:
    width = min(max(len(text) for text, _ in pairs), 60)
    return [f"{text:<{width}}  # {printable(origin)}" for text, origin in pairs]


def _section(name: str, keys: list[Key]) -> str:
    lines = []
    if SECTIONS.get(name):
        lines.append(f"# {SECTIONS[name]}")
    if name:
        lines.append(f"[{name}]")
    settings = [f"#{key.leaf} = {toml(key.default)}" for key in keys]
    width = max(map(len, settings))
    for text, key in zip(settings, keys, strict=True):
        lines.append(f"{text:<{width}}  # {_help(key)}" if _help(key) else text)
    return "\n".join(lines) + "\n"


def _help(key: Key) -> str:
    flag = f"flag {key.flag}" if key.flag else ""
    variables = " or ".join(f"${name}" for name in key.env)
    return "; ".join(note for note in (key.help, flag, variables) if note)


def _file(config: Config) -> str:
    if config.file is not None:
        return f"read from {printable(config.file)}"
    import os

    return f"no file; looked for {', '.join(map(printable, usual_places(os.environ)))}"


def _kept(config: Config, key: Key) -> bool:
    """Whether to show the key: not those that Config does not contain, and not the demo's."""
    return not key.leaf.endswith(("_env", "_file")) and (key.in_file or config.demo.enabled)


def _value(config: Config, key: Key) -> str:
    if key.name.startswith("services."):
        return toml(_service_value(config, key))
    found: object = config
    for field in (key.path or key.name).split("."):
        found = getattr(found, field)
    return toml(found)


def _service_value(config: Config, key: Key) -> object:
    _, name, field, *endpoint = key.name.split(".")
    service: ServiceConfig = next(row for row in config.services if row.name == name)
    if endpoint:
        return dict(service.paths).get(endpoint[0], key.default)
    return getattr(service, field)
