"""The configuration in words: what is in effect and why, and a commented file to start from."""

from tokentop.config.file import usual_places
from tokentop.config.keys import SECTIONS, Key, table
from tokentop.config.problems import printable
from tokentop.config.schema import Config, ServiceConfig
from tokentop.config.values import toml

HEADER = """\
# tokentop's configuration. Every key stands here at its default, switched off by a leading "#":
# remove that "#" (where a space follows it, it is an explanation) and change the value.
# Flags win over environment variables, those over this file. `tokentop config` shows the result.
"""


def effective(config: Config) -> str:
    """Return `key = value  # origin` lines; tokens are ***, URLs were refused if they held any."""
    origins = dict(config.origins)
    rows = [(name, _value(config, key)) for name, key in table().items() if _kept(config, key)]
    held = (service.name for service in config.services if service.token is not None)
    rows += [(f"services.{name}.token", "***") for name in held]
    texts = [f"{name} = {value}" for name, value in rows]
    width = min(max(map(len, texts)), 60)
    lines = [
        f"{text:<{width}}  # {printable(origins.get(name, 'default'))}"
        for text, (name, _) in zip(texts, rows, strict=True)
    ]
    return "\n".join([f"# {_file(config)}", *lines]) + "\n"


def example() -> str:
    """Return a commented file; with its settings uncommented it loads clean and changes nothing."""
    sections: dict[str, list[Key]] = {}
    for key in table().values():
        if key.in_file:
            sections.setdefault(key.section, []).append(key)
    return HEADER + "\n" + "\n".join(_section(name, keys) for name, keys in sections.items())


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
    """Leave out what Config does not hold (a token's origin says how it was found), and no demo."""
    return key.leaf not in ("token_env", "token_file") and (key.in_file or config.demo.enabled)


def _value(config: Config, key: Key) -> str:
    if key.name.startswith("services."):
        return toml(_service_value(config, key))
    found: object = config
    for field in (key.slot or key.name).split("."):
        found = getattr(found, field)
    return toml(found)


def _service_value(config: Config, key: Key) -> object:
    _, name, field, *endpoint = key.name.split(".")
    service: ServiceConfig = next(row for row in config.services if row.name == name)
    if endpoint:
        return dict(service.paths).get(endpoint[0], key.default)
    return getattr(service, field)
