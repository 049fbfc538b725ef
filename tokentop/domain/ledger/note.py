"""Checkpoints as C2SP notes: a log's size and root, signed; keys as Go's sumdb/note writes them.

https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note. Nothing here signs.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Iterable, Iterator
from hashlib import sha256

from tokentop.named_tuple import NamedTuple

ED25519 = b"\x01"  # the algorithm's byte in keys
MARK = "— "  # a signature's line begins with an em dash


class NoteError(ValueError):
    """Text that is no checkpoint, or a key that is none, as one sentence."""


class Checkpoint(NamedTuple):
    """What a log had: its name, and the Merkle root over its first `size` entries."""

    origin: str
    size: int
    root: bytes


class Signature(NamedTuple):
    """One signature line: the key's name, the first four bytes of the key's hash, and 64 bytes."""

    name: str
    key_hash: bytes
    data: bytes


class SignedNote(NamedTuple):
    """A checkpoint, the bytes that are signed, and the signatures below it."""

    checkpoint: Checkpoint
    text: bytes
    signatures: tuple[Signature, ...]


def text_of(checkpoint: Checkpoint) -> str:
    """The lines that are signed."""
    root = b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def signed(text: str, signature: Signature) -> str:
    """A note with its signature."""
    body = b64encode(signature.key_hash + signature.data).decode()
    return f"{text}\n{MARK}{signature.name} {body}\n"


def key_hash(name: str, public: bytes) -> bytes:
    """The four bytes by which signatures name an Ed25519 key."""
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def verifier_key(name: str, public: bytes) -> str:
    """A public key as text: `name+hash+base64`."""
    return f"{name}+{key_hash(name, public).hex()}+{b64encode(ED25519 + public).decode()}"


def read_verifier_key(text: str) -> tuple[str, bytes]:
    """The name and the 32 public bytes of a verifier key; raises NoteError."""
    name, _, rest = text.strip().partition("+")
    shown, _, body = rest.partition("+")
    public = _decoded(body)
    if public[:1] != ED25519 or len(public) != 33 or key_hash(name, public[1:]).hex() != shown:
        raise NoteError("this is no Ed25519 verifier key (name+hash+base64)")
    return name, public[1:]


def as_line(note: str) -> str:
    """A note of one signature on one line, as logs keep it."""
    return " ".join(note.split())


_LINE = re.compile(r"(?:.* )?(\S+) ([0-9]{1,18}) (\S{44}) — (\S+) (\S+)")


def read_notes(text: str) -> Iterator[SignedNote]:
    """Every signed checkpoint in a text, in its order; raises NoteError for anything else.

    Of a log, in which they stand on one line each, only those lines are read.
    """
    found = [match for match in map(_LINE.fullmatch, text.splitlines()) if match]
    if found:
        lines = [part for match in found for part in _unfolded(*match.groups())]
    else:
        lines = text.splitlines()
    return _read_notes(lines)


def _unfolded(origin: str, size: str, root: str, name: str, signature: str) -> tuple[str, ...]:
    return (origin, size, root, "", f"{MARK}{name} {signature}")


def _read_notes(lines: Iterable[str]) -> Iterator[SignedNote]:
    body: list[str] = []
    signatures: list[str] = []
    for line in lines:
        if signatures and not line.startswith(MARK):
            yield _note(body, signatures)
            body, signatures = [], []
        if line.startswith(MARK):
            signatures.append(line)
        elif line or body:
            body.append(line)
    if body or signatures:
        yield _note(body, signatures)


def _note(body: list[str], signatures: list[str]) -> SignedNote:
    """One note; `body` ends with the empty line before the signatures."""
    lines = body[:-1]
    sizes_right = len(lines) >= 3 and lines[1].isascii() and lines[1].isdecimal()
    if not signatures or body[-1:] != [""] or not sizes_right or len(lines[1]) > 18:
        raise NoteError("the file holds something that is no signed checkpoint")
    root = _decoded(lines[2])
    if len(root) != 32:
        raise NoteError("a checkpoint's root is not 32 bytes")
    checkpoint = Checkpoint(lines[0], int(lines[1]), root)
    text = "".join(f"{line}\n" for line in lines).encode()
    return SignedNote(checkpoint, text, tuple(map(_signature, signatures)))


def _signature(line: str) -> Signature:
    name, _, body = line.removeprefix(MARK).rpartition(" ")
    data = _decoded(body)
    if not name or len(data) < 5:
        raise NoteError("a checkpoint's signature cannot be read")
    return Signature(name, data[:4], data[4:])


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (BadBase64, ValueError):
        raise NoteError("a checkpoint holds text that is not base64") from None
