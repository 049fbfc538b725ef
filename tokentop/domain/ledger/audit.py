"""A writer's entries held against their chain and against checkpoints: the first that is wrong."""

from collections.abc import Iterable, Sequence

from tokentop.domain.ledger.entry import GENESIS, Entry, chained, encode
from tokentop.domain.ledger.merkle import Frontier, leaf_hash
from tokentop.domain.ledger.note import Checkpoint
from tokentop.named_tuple import NamedTuple


class Tree(NamedTuple):
    """Where a walk over a chain may go on: its size, its last hash, the roots of full subtrees."""

    size: int = 0
    hash: bytes = GENESIS
    roots: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        return Frontier(self.size, self.roots).root()


class Audit(NamedTuple):
    """What a chain has: `size` entries that follow one from another, and the root over them.

    `fault` is None where all is right, else a sentence that names the first entry that is not.
    `tree` is where the next walk may start.
    """

    writer: str
    size: int
    root: bytes
    fault: str | None
    tree: Tree = Tree()


def audit(
    writer: str,
    rows: Iterable[tuple[Entry, bytes]],
    checkpoints: Sequence[Checkpoint] = (),
    start: Tree = Tree(),  # noqa: B008  # a value
) -> Audit:
    """Walk a writer's entries with their stored hashes, in the order of their numbers.

    `rows` begin after the entries of `start`. `checkpoints` are those of this writer whose
    signatures were verified, in any order.
    """
    tree, before = Frontier(start.size, start.roots), start.hash
    waiting = sorted(checkpoints, key=lambda each: each.size, reverse=True)
    held = 0  # the size of the last checkpoint that agreed
    for entry, stored in rows:
        data = encode(entry)
        before = chained(before, data)
        fault = _fault(entry, tree.size + 1, before == stored)
        if fault is not None:
            return Audit(writer, tree.size, tree.root(), fault)
        tree.add(leaf_hash(data))
        while waiting and waiting[-1].size <= tree.size:
            point = waiting.pop()
            if point.size == tree.size and point.root != tree.root():
                return Audit(writer, held, b"", _rewritten(held, point.size))
            held = point.size
    cut = _cut_off(held, tree.size, waiting[0].size) if waiting else None
    return Audit(writer, tree.size, tree.root(), cut, Tree(tree.size, before, tree.roots))


def _fault(entry: Entry, expected: int, follows: bool) -> str | None:
    if entry.seq != expected:
        missing = f"entry {expected} was removed"
        many = f"entries {expected} to {entry.seq - 1} were removed"
        return missing if entry.seq == expected + 1 else many
    if follows:
        return None
    if expected == 1:
        return "entry 1 was changed or inserted"
    return f"entry {expected} was changed or inserted, or entry {expected - 1} with its hash"


def _rewritten(held: int, size: int) -> str:
    """All hashes fit, but not the checkpoint: so the chain was rewritten after a change."""
    first = f"entry {size}" if size == held + 1 else f"one of the entries {held + 1} to {size}"
    return f"{first} was changed, removed or inserted, and the chain after it rewritten"


def _cut_off(held: int, size: int, promised: int) -> str:
    cut = f"entries from {size + 1} on were cut off: a checkpoint has {promised}"
    return cut if held == size else f"{cut}; or {_rewritten(held, size)}"
