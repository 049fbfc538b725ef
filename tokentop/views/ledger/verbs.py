"""The verbs of `tokentop ledger` as one table: help, the manual and completions are made of it."""

from collections.abc import Collection

from tokentop.named_tuple import NamedTuple


class Verb(NamedTuple):
    """One word after `ledger`; `operand` stands for the words that it needs after it."""

    name: str
    help: str
    operand: str = ""

    @property
    def usage(self) -> str:
        return f"{self.name} {self.operand}".rstrip()


VERBS = (
    Verb("import", "book the usage records in a file of JSON lines, JSON or CSV", "FILE"),
    Verb("report", "sums of requests, tokens, credits and USD; --by, --since"),
    Verb("verify", "name the first entry that was changed, removed or cut off"),
    Verb("reconcile", "what engines generated beside what was booked, by hour"),
    Verb("show", "one entry, and how its credits were computed", "ID"),
    Verb("reverse", "book the entry that cancels one", "ID"),
    Verb("forget", "erase a person's name; the entries stay", "NAME"),
    Verb("checkpoint", "print what the ledger holds now, signed, to be kept elsewhere"),
    Verb("archive", "move what was booked before --until into compressed files"),
    Verb("key", "print the public key of the checkpoints"),
    Verb("prove", "print the proof that an entry is in the newest --checkpoint", "ID"),
    Verb("value", "report N USD of business value that came of a project", "PROJECT N"),
    Verb("velocity", "USD of value per credit, and its inverse, by project"),
    Verb("audit", "whose velocity rose last month while their tasks shrank"),
    Verb("swap", "leave N credits of project A to project B", "A B N"),
    Verb("convert", "turn N credits of A into USD at a provider, at its live rate", "A AT N"),
    Verb("flags", "tasks that cost a multiple of their kind, to classify"),
    Verb("classify", "decide about a flag: fine, defer or halt", "ID AS"),
)


def described(without: Collection[str] = ()) -> list[str]:
    """The verbs as lines of help, those left out that are listed as commands of their own."""
    shown = [verb for verb in VERBS if verb.name not in without]
    width = max(len(verb.usage) for verb in shown)
    return [f"  {verb.usage:<{width}}  {verb.help}" for verb in shown]
