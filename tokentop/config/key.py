"""One configuration key: its name, what it may be, and what sets it."""

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

Kind = Literal[
    "number", "integer", "switch", "choice", "names", "url", "path", "file", "variable",
    "text", "label", "rule", "words", "writer", "host", "hosts", "ports", "origins", "urls",
    "database", "zone", "shares",
]  # fmt: skip


class Key(NamedTuple):
    """One key. `name` is dotted as in the file, `path` its place in Config where that differs.

    `default` is Config's own default; None is written "" in TOML. `low` and `high` are the
    allowed range, ends included. `env` variables are looked at in order. Keys with `in_file` false
    are flags only. `sample` is what a problem's text suggests where the default is no example.
    """

    name: str
    kind: Kind
    default: object
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    flag: str | None = None
    path: str | None = None
    in_file: bool = True
    sample: object = ""

    @property
    def section(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def example(self) -> object:
        """A value that would do."""
        return self.default if self.sample == "" else self.sample

    @property
    def leaf(self) -> str:
        return self.name.rpartition(".")[2]
