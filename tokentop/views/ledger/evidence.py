"""The verbs that show the ledger was not tampered with: verify, checkpoint, key, prove."""

import json
import sys
from base64 import b64encode
from collections.abc import Mapping

from tokentop.domain.ledger.note import (
    Checkpoint,
    NoteError,
    read_verifier_key,
    verifier_key,
)
from tokentop.runtime.ledger import checkpointing, place
from tokentop.runtime.ledger import verify as checks
from tokentop.transport.ledger.signing import read_key
from tokentop.views.ledger.call import DONE, WRONG, Answer, Call, UsageError, read_file

MAX_BYTES = 16 * 1024 * 1024  # of a file of checkpoints: a hundred thousand of them


def verify(call: Call) -> Answer:
    """Each chain with its size and root, or what is wrong with it first."""
    points = _checkpoints(call)
    found = checks.verify(place.opened(call.config, call.environ), points)
    if found.faults:
        return "\n".join(found.faults), WRONG
    lines = [f"{each.writer}: {each.size:,} entries, none changed" for each in found.chains]
    agree = f"checkpoints that agree: {found.checkpoints}" if points else _UNPROVED
    return "\n".join([*(lines or ["the ledger is empty"]), agree]), DONE


_UNPROVED = "without a checkpoint, a ledger rewritten whole or cut off at its end looks intact"


def checkpoint(call: Call) -> Answer:
    """Verify what is new, sign size and root of each chain; nothing wrong is ever signed."""
    notes = checkpointing.make(call.config, call.environ)
    failures = list(checkpointing.send(notes, call.config))
    sys.stderr.writelines(f"tokentop: {failure}\n" for failure in failures)
    return "\n".join(notes), WRONG if failures else DONE


def key(call: Call) -> Answer:
    """The public key, by which others check checkpoints."""
    found = read_key(place.key_path(call.config, call.environ))
    return verifier_key(found.name, found.public), DONE


def prove(call: Call) -> Answer:
    """An entry's proof against the newest checkpoint of its chain, as JSON."""
    points = _checkpoints(call)
    if not points:
        raise UsageError("name the kept checkpoints with --checkpoint FILE")
    db = place.opened(call.config, call.environ)
    try:
        found = checks.prove(db, call.operand, points)
    except ValueError as error:
        raise UsageError(str(error)) from None
    document = {
        "entry": found.data.decode(),
        "index": found.place,
        "size": found.checkpoint.size,
        "path": [b64encode(each).decode() for each in found.path],
        "origin": found.checkpoint.origin,
        "root": b64encode(found.checkpoint.root).decode(),
    }
    return json.dumps(document, ensure_ascii=False), DONE


def _checkpoints(call: Call) -> list[Checkpoint]:
    """The signed checkpoints of --checkpoint; none where the option is not given."""
    path = call.options["checkpoint"]
    if path is None:
        return []
    data, keys = read_file(path, MAX_BYTES), _keys(call)
    try:
        return list(checks.trusted(data.decode(), keys))
    except (NoteError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, NoteError) else "it is no text"
        raise UsageError(f"{path!a}: {reason}") from None


def _keys(call: Call) -> Mapping[str, bytes]:
    """Public keys by name: those of --key, else this machine's own."""
    path = call.options["key"]
    if path is not None:
        lines = read_file(path, MAX_BYTES).decode("ascii", "replace").splitlines()
        try:
            return dict(read_verifier_key(line) for line in lines if line.strip())
        except NoteError as error:
            raise UsageError(f"{path!a}: {error}") from None
    own = read_key(place.key_path(call.config, call.environ))
    return {own.name: own.public}
