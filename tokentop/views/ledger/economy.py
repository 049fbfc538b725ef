"""The verbs about value, credits that move, and flagged tasks."""

import json

from tokentop.domain.budgets.period import span
from tokentop.domain.detector import shown
from tokentop.domain.economy.valuation_explained import thousandths
from tokentop.domain.ledger.event import DAY_US
from tokentop.domain.ledger.totals import Totals
from tokentop.domain.replenishment.audit import Suspect, suspects
from tokentop.domain.replenishment.velocity import velocity as usd_per_credit
from tokentop.domain.snapshot_ledger import Flag
from tokentop.domain.text import DASH, fmt_usd
from tokentop.runtime.ledger import exchange, place
from tokentop.runtime.ledger.zone import zone
from tokentop.transport.ledger import reader, tasks
from tokentop.views.ledger.call import DONE, Answer, Call
from tokentop.views.ledger.report import aligned

_FLAGS = ("flag", "since", "projects", "model", "task", "credits", "expected", "times", "state")


def value(call: Call) -> Answer:
    """Report business value that came of a project."""
    name, usd = call.words
    exchange.report_value(
        call.everything, call.environ, name, usd, call.options["unit"], call.now_us
    )
    return f"booked {fmt_usd(float(usd))} of value for {name}", DONE


def swap(call: Call) -> Answer:
    """Leave credits of one project to another."""
    giver, taker, much = call.words
    exchange.swap(call.everything, call.environ, giver, taker, much, call.now_us)
    return f"{giver} leaves {much} credits to {taker}", DONE


def convert(call: Call) -> Answer:
    """Turn credits into an account at a provider, at what a GPU costs there now."""
    from tokentop.runtime.shared_snapshot import recall_shared

    giver, provider, much = call.words
    shared = recall_shared(call.everything, call.now_us / 1e6, details=False)
    found = shared.capacity.next_instance if shared else None
    offer = exchange.offer_of(call.everything, provider, found)
    _, taken = exchange.convert(call.everything, call.environ, giver, offer, much, call.now_us)
    usd, price = (taken.micro_usd or 0) / 1e6, offer.gpu_hour_micro_usd / 1e6
    return (
        f"{giver} turns {much} credits into {fmt_usd(usd)} at {offer.provider}, "
        f"where the {offer.gpu} costs {fmt_usd(price)} an hour"
    ), DONE


def velocity(call: Call) -> Answer:
    """USD of reported value per credit and its inverse, by project, over the window."""
    since_us = call.now_us - call.everything.policy.replenishment.window_days * DAY_US
    db = place.opened(call.config, call.environ)
    until_us = call.now_us + DAY_US  # of clocks that are ahead
    worth = tasks.value(db, since_us, until_us)
    sums = reader.sums(db, ["project"], since_us, until_us)
    spent = {str(row.keys[0]): _known(row.totals) for row in sums if row.keys[0] is not None}
    rows = [(name, worth.get(name), spent.get(name, 0)) for name in sorted(worth | spent)]
    if call.options["json"]:
        keys = ("project", "micro_usd", "milli_credits", "velocity")
        found = [(*row, _velocity(row[1], row[2])) for row in rows]
        return json.dumps([dict(zip(keys, row, strict=True)) for row in found]), DONE
    if not rows:
        return "no project has spent or reported anything in that window", DONE
    head = ("project", "value", "credits", "USD a credit", "credits a USD")
    return aligned([head, *(_speed(*row) for row in rows)], 1), DONE


def _known(totals: Totals) -> int | None:
    """The milli-credits of several requests; None where none of them has any."""
    return None if totals.unvalued and totals.unvalued >= totals.requests else totals.milli_credits


def _velocity(micro_usd: int | None, milli_credits: int | None) -> float | None:
    if micro_usd is None or milli_credits is None:
        return None
    return usd_per_credit(micro_usd, milli_credits)


def _speed(name: str, micro_usd: int | None, milli_credits: int | None) -> tuple[str, ...]:
    found = _velocity(micro_usd, milli_credits)
    worth = DASH if micro_usd is None else fmt_usd(micro_usd / 1e6)
    return (name, worth, thousandths(milli_credits), _figure(found), _figure(found and 1 / found))


def _figure(number: float | None) -> str:
    return DASH if number is None else f"{number:,.4g}"


def audit(call: Call) -> Answer:
    """Projects whose velocity rose from one full month to the next while their tasks shrank."""
    here = zone(call.config, call.environ)
    last = span("month", span("month", call.now_us, here).start_us - 1, here)
    before = span("month", last.start_us - 1, here)
    db = place.opened(call.config, call.environ)
    months = [tasks.months(db, each.start_us, each.end_us or 0) for each in (before, last)]
    found = suspects(*months)
    if not found:
        return "no project's velocity rose while its tasks shrank", DONE
    head = ("project", "USD a credit", "before", "credits a task", "before", "tasks", "before")
    return aligned([head, *map(_suspicious, found)], 1), DONE


def _suspicious(found: Suspect) -> tuple[str, ...]:
    after, before = found.after, found.before
    pairs = (
        (after.velocity, before.velocity), (after.credits_per_task, before.credits_per_task),
        (after.tasks, before.tasks),
    )  # fmt: skip
    return (found.project, *(_figure(each) for pair in pairs for each in pair))


def flags(call: Call) -> Answer:
    """Flags, those to classify first, and how many the calibration epoch still needs."""
    detector = exchange.flag_book(place.opened(call.config, call.environ), call.everything)
    found, left = shown.flags(detector, call.now_us), detector.flags.left
    if call.options["json"]:
        return json.dumps({"to_classify": left, "flags": [each._asdict() for each in found]}), DONE
    refused = detector.flags.refusal(call.everything.policy.detector)
    last = f"{left} more to classify before the threshold may be tuned" if left else _TUNABLE
    table = aligned([_FLAGS, *map(_flag, found)], 5) if found else "no flags"
    return "\n".join([table, refused or last]), DONE


_TUNABLE = "the calibration epoch is over: detector.threshold may be tuned"


def _flag(flag: Flag) -> tuple[str, ...]:
    times = flag.cost / flag.expected if flag.cost and flag.expected else None
    precedent = f"as before: {flag.precedent}" if flag.precedent else None
    return (
        flag.id, flag.at, ", ".join(flag.projects), flag.model or DASH, flag.task or DASH,
        _figure(flag.cost), _figure(flag.expected), _figure(times),
        flag.classified or precedent or "to classify",
    )  # fmt: skip


def classify(call: Call) -> Answer:
    """Book what a person decides about a flag."""
    flag, verdict = call.words
    found, left = exchange.classify(call.everything, call.environ, flag, verdict, call.now_us)
    text = f"{flag} is classified: {verdict}; {left} more to classify"
    name = found.task.group.project
    stop = verdict == "halt" and found.about == "task" and name
    return f"{text}\n`tokentop stop {name}` ends its spending" if stop else text, DONE
