"""What the ledger keeps beside usage, as entries of the same chain: values, transfers, decisions.

To add a kind: name it in `Kind`, and write a function in the part that owns it which makes a
Record of its facts, and one that reads them back from an Entry. Nothing in the storage changes:
a Record is booked by `Writer.append`, in one batch with others (the two sides of a transfer) or
alone, counts once by its identity, is chained, archived and verified as any entry is, and reaches
whoever follows the ledger by `reader.entries_after`. It is in no sum of usage. A record is not
reversed; a later record of its kind corrects it.
"""

from collections.abc import Mapping

from tokentop.domain.ledger.entry import Entry, Kind, Link, canonical
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple


class Record(NamedTuple):
    """One fact. `identity` is the same whenever the same fact is sent again.

    `outcome` is what came of it in a word of its kind (stop, resume, fine, halt, reported).
    `micro_usd` and `milli_credits` have the sign of its kind. `details` are its own facts, integers
    and text; they never hold the name of a person, which `user` does.
    """

    kind: Kind
    identity: str
    at_us: int
    outcome: str
    feed: str = "tokentop"
    user: str | None = None
    project: str | None = None
    team: str | None = None
    model: str | None = None
    session: str | None = None
    task: str | None = None
    micro_usd: int | None = None
    milli_credits: int | None = None
    details: Mapping[str, int | str | None] = {}


def recorded(record: Record, *, link: Link, people: Mapping[str, str]) -> Entry:
    """The entry of a record: `people` has the id of each name."""
    values: dict[str, Any] = record._asdict()
    user, details = values.pop("user"), values.pop("details")
    return Entry(
        **link._asdict(),
        **values,
        estimated=0,
        user_id=people[user] if user else None,
        details=canonical(details).decode() if details else None,
    )
