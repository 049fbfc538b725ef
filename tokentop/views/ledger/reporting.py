"""The verbs that read: report, show."""

import sys
from collections.abc import Iterator, Mapping

from tokentop.domain.economy.valuation_explained import decimal, explained
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import DAY_US, iso
from tokentop.domain.text import DASH
from tokentop.runtime.ledger import place
from tokentop.transport.ledger import reader
from tokentop.views.ledger.call import DONE, Answer, Call, UsageError
from tokentop.views.ledger.focus import BY, as_focus
from tokentop.views.ledger.report import DEFAULT_BY, KEYS, Report, as_csv, as_json, named, table
from tokentop.views.ledger.when import when


def report(call: Call) -> Answer:
    """Sums by --by since --since: a table, --json, --csv, or --focus."""
    forms = [name for name in ("json", "csv", "focus") if call.options[name]]
    if len(forms) > 1:
        raise UsageError("choose one of --json, --csv and --focus")
    if "focus" in forms:
        return _focus(call)
    made = _summed(call, _by(call.options["by"]))
    return {"json": as_json, "csv": as_csv}.get("".join(forms), table)(made), DONE


def _focus(call: Call) -> Answer:
    if call.options["by"]:
        raise UsageError("--focus has its own columns; leave --by out")
    made = _summed(call, BY)
    if made.total.unpriced:
        sys.stderr.write(
            f"tokentop: requests without a price, which add to no cost: {made.total.unpriced:,}\n"
        )
    return as_focus(made), DONE


def _by(text: str | None) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(","))) if text else DEFAULT_BY
    unknown = [name for name in names if name not in KEYS]
    if unknown:
        raise UsageError(f"--by takes {', '.join(KEYS)}, not {unknown[0][:40]!a}")
    return names


def _summed(call: Call, by: tuple[str, ...]) -> Report:
    """The report; whole days where a row is a day."""
    try:
        since = when(call.options["since"], call.now_us) if call.options["since"] else 0
        until = when(call.options["until"], call.now_us) if call.options["until"] else None
    except ValueError as error:
        raise UsageError(str(error)) from None
    if by is BY:
        since -= since % DAY_US
    db = place.opened(call.config, call.environ)
    last = call.now_us + DAY_US if until is None else until  # of clocks that are ahead
    found = reader.sums(db, [KEYS[name] for name in by], max(0, since), last)
    return Report(by, since, last, tuple(named(by, found, reader.people(db))))


def show(call: Call) -> Answer:
    """One entry field by field, then how its credits were computed."""
    db = place.opened(call.config, call.environ)
    entry = reader.entry(db, call.operand)
    if entry is None:
        raise UsageError("there is no such entry; its id is the feed's name, a colon, and its own")
    names = reader.people(db)
    lines = [f"{name:<16} {value}" for name, value in _fields(entry, names)]
    if entry.valuation is None:
        return "\n".join([*lines, f"{'credits':<16} {DASH}  no price for this model or GPU"]), DONE
    rows = explained(entry, reader.valuation(db, entry.valuation))
    lines += [f"{what:<42} {much:>14}  {where}" for what, much, where in rows]
    return "\n".join(lines), DONE


def _fields(entry: Entry, names: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    """What an entry says, by name: times as dates, people by name, money in whole units."""
    for name, value in entry._asdict().items():
        if value is None or name in ("milli_credits", "valuation"):
            continue
        if name in ("user_id", "end_user_id"):
            yield name.removesuffix("_id"), names.get(value, f"{value} (erased)")
        elif name in ("at_us", "booked_us"):
            yield name.removesuffix("_us"), iso(value)
        elif name == "micro_usd":
            yield "usd", decimal(value, 10**6)
        else:
            yield name, value
