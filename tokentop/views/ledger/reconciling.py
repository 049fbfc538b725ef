"""`tokentop ledger reconcile`: what engines generated against what events claim, by hour."""

import json

from tokentop.domain.ledger.event import DAY_US, HOUR_US, iso
from tokentop.domain.ledger.reconciliation import Hour
from tokentop.runtime.ledger import place
from tokentop.transport.ledger.claims import reconciled
from tokentop.views.ledger.call import DONE, Answer, Call, UsageError
from tokentop.views.ledger.report import aligned
from tokentop.views.ledger.when import when

_COLUMNS = ("hour", "model", "minutes", "generated", "claimed", "unattributed", "overclaimed")
NOTHING = (
    "no engine was counted: `tokentop serve` with [ledger] intake books every ten minutes what the "
    "engines counted exactly, which llama.cpp's slots do not"
)


def reconcile(call: Call) -> Answer:
    """A row an hour and model since --since, a day by default; --json too."""
    try:
        since = when(call.options["since"] or "1d", call.now_us)
        until = when(call.options["until"], call.now_us) if call.options["until"] else None
    except ValueError as error:
        raise UsageError(str(error)) from None
    db = place.opened(call.config, call.environ)
    found = reconciled(db, since, call.now_us + DAY_US if until is None else until)
    hours = list(found.hours())
    if call.options["json"]:
        rows = [dict(zip(_COLUMNS, _values(each), strict=True)) for each in hours]
        return json.dumps({"schema": "tokentop-reconcile/1", "rows": rows}), DONE
    if not hours:
        return NOTHING, DONE
    lines = [tuple(f"{each:,}" if isinstance(each, int) else each for each in _values(hour))
             for hour in hours]  # fmt: skip
    return aligned([_COLUMNS, *lines], 2), DONE


def _values(hour: Hour) -> tuple[str | int, ...]:
    at = iso(hour.hour * HOUR_US)
    tokens = hour.generated, hour.claimed, hour.unattributed, hour.overclaimed
    return (f"{at[:13]}:00Z", hour.model, hour.minutes, *tokens)
