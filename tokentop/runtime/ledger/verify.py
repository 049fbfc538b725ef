"""Every entry held against its chain, its checkpoints and the sums; proofs and new checkpoints."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tokentop.domain.ledger.audit import Audit, Tree, audit
from tokentop.domain.ledger.entry import encode
from tokentop.domain.ledger.merkle import leaf_hash, path, root_of
from tokentop.domain.ledger.note import Checkpoint, NoteError, SignedNote, key_hash, read_notes
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.ledger.archiving import compared
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.archive import ArchiveError
from tokentop.transport.ledger.database import Database
from tokentop.transport.ledger.signing import verifies
from tokentop.transport.ledger.trees import trees

ORIGIN = "tokentop-ledger/"  # before the writer's name, in checkpoints


class Verified(NamedTuple):
    """What verify found: each writer's chain, how many checkpoints agree, and all that is wrong.

    `faults` are sentences, those of a writer begin with its name.
    """

    chains: tuple[Audit, ...]
    checkpoints: int
    faults: tuple[str, ...]


class Proof(NamedTuple):
    """That an entry is in a checkpoint: its bytes, its number from 0, and the path to the root."""

    data: bytes
    place: int
    checkpoint: Checkpoint
    path: tuple[bytes, ...]


def verify(db: Database, checkpoints: Sequence[Checkpoint] = ()) -> Verified:
    """Walk all entries once; memory stays flat. `checkpoints` have verified signatures."""
    kept = [Checkpoint(ORIGIN + name, tree.size, tree.root) for name, tree in trees(db).items()]
    points = [*checkpoints, *kept]
    promised = {point.origin.removeprefix(ORIGIN) for point in points if point.size}
    beside: list[str] = []
    chains = tuple(
        _walked(db, name, _of(name, points), beside.append)
        for name in sorted({*reader.writers(db), *promised})
    )
    beside += filter(None, [reader.beside_the_chain(db)])
    return Verified(chains, len(checkpoints), _faults(chains, beside))


def _walked(
    db: Database, writer: str, points: Sequence[Checkpoint], report: Callable[[str], object]
) -> Audit:
    try:
        return audit(writer, compared(db, writer, reader.chain(db, writer), report), points)
    except ArchiveError as error:
        return Audit(writer, 0, b"", str(error))


def verify_new(db: Database) -> Verified:
    """Walk only what was booked since each chain's last checkpoint, from the tree kept then."""
    kept = trees(db)
    chains = tuple(
        _grown(db, name, kept.get(name, Tree())) for name in sorted({*reader.writers(db), *kept})
    )
    return Verified(chains, 0, _faults(chains, filter(None, [reader.unguarded(db)])))


def _grown(db: Database, writer: str, tree: Tree) -> Audit:
    if tree.size and not reader.holds(db, writer, tree.size, tree.hash):
        gone = f"entry {tree.size}, of the last checkpoint, was changed or cut off"
        return Audit(writer, tree.size, tree.root, gone)
    return audit(writer, reader.chain(db, writer, tree.size), start=tree)


def _faults(chains: Sequence[Audit], beside: Iterable[str]) -> tuple[str, ...]:
    return (*(f"{each.writer}: {each.fault}" for each in chains if each.fault), *beside)


def _of(writer: str, checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    return [point for point in checkpoints if point.origin == ORIGIN + writer]


def trusted(text: str, keys: Mapping[str, bytes]) -> Iterator[Checkpoint]:
    """The checkpoints of a file, each signed by one of `keys` (name -> public bytes).

    Raises NoteError for one that is not, or is no ledger's; LedgerError without the extra.
    """
    for note in read_notes(text):
        if not note.checkpoint.origin.startswith(ORIGIN):
            raise NoteError(f"{note.checkpoint.origin!a} is no ledger of tokentop")
        if not _signed(note, keys):
            raise NoteError(
                f"the checkpoint of {note.checkpoint.size} entries has no signature of the key"
            )
        yield note.checkpoint


def _signed(note: SignedNote, keys: Mapping[str, bytes]) -> bool:
    return any(
        verifies(keys[one.name], note.text, one)
        for one in note.signatures
        if one.name in keys and one.key_hash == key_hash(one.name, keys[one.name])
    )


def prove(db: Database, identity: str, checkpoints: Sequence[Checkpoint]) -> Proof:
    """The proof that an event's entry is in the newest of its writer's checkpoints.

    Raises ValueError where the entry, or a checkpoint that is new enough, is missing, and where the
    ledger is not that of the checkpoint.
    """
    found = reader.entry(db, identity)
    if found is None:
        raise ValueError("there is no such entry")
    point = max(_of(found.writer, checkpoints), key=lambda each: each.size, default=None)
    if point is None or point.size < found.seq:
        raise ValueError("the entry is newer than every checkpoint given")
    leaves = (leaf_hash(encode(entry)) for entry, _ in reader.chain(db, found.writer))
    data, index = encode(found), found.seq - 1
    steps = tuple(path(leaves, index, point.size))
    if root_of(leaf_hash(data), index, point.size, steps) != point.root:
        raise ValueError("the ledger is not that of the checkpoint; `tokentop ledger verify` it")
    return Proof(data, index, point, steps)
