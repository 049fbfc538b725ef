"""How far each chain was verified for its last checkpoint, so that the next reads what is new."""

from collections.abc import Iterable, Mapping

from tokentop.domain.ledger.audit import Tree
from tokentop.transport.ledger.database import Database

_HASH = 32  # bytes


def trees(db: Database) -> dict[str, Tree]:
    """The tree of each writer of which a checkpoint was made."""
    rows = db.rows("SELECT writer, size, hash, roots FROM trees")
    return {name: Tree(size, last, _split(roots)) for name, size, last, roots in rows}


def keep(db: Database, grown: Mapping[str, Tree]) -> None:
    """Keep trees, unless another process has come further."""
    with db.transaction():
        db.executemany(_KEEP, _rows(grown))


def _rows(grown: Mapping[str, Tree]) -> Iterable[tuple[object, ...]]:
    return [(name, tree.size, tree.hash, b"".join(tree.roots)) for name, tree in grown.items()]


def _split(roots: bytes) -> tuple[bytes, ...]:
    return tuple(roots[at : at + _HASH] for at in range(0, len(roots), _HASH))


_KEEP = """\
INSERT INTO trees (writer, size, hash, roots) VALUES (?, ?, ?, ?)
ON CONFLICT (writer) DO UPDATE
SET size = excluded.size, hash = excluded.hash, roots = excluded.roots
WHERE excluded.size > trees.size"""
