"""The rule language: `demand.utilization > 80% and llm.queued rises by 8 in 60s for 2m`."""

import re
from functools import cache

from tokentop.domain.alerts.keys import keys, list_of
from tokentop.light_typing import Literal, cast, get_args
from tokentop.named_tuple import NamedTuple

Operator = Literal[">", ">=", "<", "<=", "==", "!=", "contains", "rises", "falls"]
Value = float | bool | str

_MOST = 400  # characters of a rule
_UNITS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_EXAMPLE = 'write it like "demand.utilization > 0.8 for 60s"'


class RuleError(ValueError):
    """What is wrong with a rule, and the mend."""


class Key(NamedTuple):
    """The value of another key, to compare with."""

    name: str


class Condition(NamedTuple):
    """One comparison; `window_s` is the time in which a key rises or falls by `value`."""

    key: str
    operator: Operator
    value: Value | Key
    window_s: float = 0.0


class Rule(NamedTuple):
    """All conditions hold together, for `for_s` seconds; `text` is the rule as it was written."""

    text: str
    conditions: tuple[Condition, ...]
    for_s: float = 0.0

    @property
    def list_name(self) -> str | None:
        """The list over whose members it is evaluated, each by itself; None for the whole."""
        return next((name for name in map(list_of, _named(self.conditions)) if name), None)


def parse(text: str) -> Rule:
    """The rule that `text` writes; raises RuleError."""
    if len(text) > _MOST:
        raise RuleError(f"is longer than {_MOST} characters; make two alerts of it")
    words = _Words(text)
    conditions = [_condition(words)]
    while words.take("and"):
        conditions.append(_condition(words))
    for_s = words.duration() if words.take("for") else 0.0
    words.end()
    lists = {name for name in map(list_of, _named(conditions)) if name}
    if len(lists) > 1:
        raise RuleError(f"walks through {' and '.join(sorted(lists))} at once; choose one list")
    return Rule(text, tuple(conditions), for_s)


def _named(conditions: "tuple[Condition, ...] | list[Condition]") -> list[str]:
    values = [one.value.name for one in conditions if isinstance(one.value, Key)]
    return [*(one.key for one in conditions), *values]


def _condition(words: "_Words") -> Condition:
    key = words.key()
    operator = words.operator()
    if operator in ("rises", "falls"):
        words.expect("by")
        amount = words.number()
        words.expect("in")
        return Condition(key, operator, amount, words.duration())
    return Condition(key, operator, words.value())


@cache
def _token() -> re.Pattern[str]:
    return re.compile(
        r'\s*(?:(?P<text>"[^"]*")|(?P<number>-?\d+(?:\.\d+)?)(?P<unit>%|[a-z]*)'
        r"|(?P<sign>>=|<=|==|!=|>|<)|(?P<word>[A-Za-z_][\w.\[\]]*))"
    )


class _Words:
    """The tokens of a rule, taken one after another."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._at = 0

    def _next(self) -> re.Match[str]:
        found = _token().match(self._text, self._at)
        if found is None:
            rest = self._text[self._at :].strip()[:20]
            what = f"cannot be read from {rest!a} on" if rest else "ends too early"
            raise RuleError(f"{what}; {_EXAMPLE}")
        self._at = found.end()
        return found

    def take(self, word: str) -> bool:
        """Go past `word` where it comes next; whether it did."""
        found = _token().match(self._text, self._at)
        if found is None or found["word"] != word:
            return False
        self._at = found.end()
        return True

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise RuleError(
                f'needs "{word}" after rises or falls; write it like "llm.queued rises by 8 in 60s"'
            )

    def end(self) -> None:
        if self._at < len(self._text):
            raise RuleError(f"goes on after its end with {self._text[self._at :].strip()!a}; "
                            f"{_EXAMPLE}")  # fmt: skip

    def key(self) -> str:
        name = self._next()["word"]
        if name in keys():
            return name
        from difflib import get_close_matches  # only after a mistake

        near = get_close_matches((name or "")[:80], keys(), 1, 0.5)
        meant = f"did you mean {near[0]}?" if near else "`tokentop --json` shows them all"
        raise RuleError(f"{name or ''!a} is no key of the snapshot; {meant}")

    def operator(self) -> Operator:
        found = self._next()
        name = found["sign"] or found["word"]
        for known in get_args(Operator):
            if name == known:
                return cast("Operator", known)
        signs = ", ".join(get_args(Operator))
        raise RuleError(f"needs a comparison after the key ({signs}); {_EXAMPLE}")

    def value(self) -> "Value | Key":
        found = self._next()
        if found["text"] is not None:
            return found["text"][1:-1]
        if found["number"] is not None:
            return _number(found)
        if found["word"] in ("true", "false"):
            return bool(found["word"] == "true")
        self._at = found.start()
        return Key(self.key())

    def number(self) -> float:
        found = self._next()
        if found["number"] is None:
            raise RuleError(f"needs a number, not {found[0].strip()!a}; {_EXAMPLE}")
        return _number(found)

    def duration(self) -> float:
        found = self._next()
        unit_s = _UNITS_S.get(found["unit"] or "")
        if unit_s is None or found["number"].startswith("-"):
            raise RuleError('needs a time with its unit, like "60s", "10m" or "1h"')
        return float(found["number"]) * unit_s


def _number(found: re.Match[str]) -> float:
    if found["unit"] not in ("", "%"):
        raise RuleError(f"{found[0].strip()!a} is no number; times stand after for and in")
    return float(found["number"]) / (100.0 if found["unit"] == "%" else 1.0)
