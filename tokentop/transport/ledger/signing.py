"""Ed25519 keys and signatures of checkpoints, by libsodium; an extra, as few ledgers need it."""

import os
from base64 import b64decode, b64encode

from tokentop.domain.ledger.note import ED25519, Signature, key_hash
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger.database import LedgerError

EXTRA = "signatures need an extra: pip install 'tokentop[ledger]'"
_PREFIX = "PRIVATE+KEY"


class Key(NamedTuple):
    """A private key: the name that its signatures carry, and its 32 secret bytes."""

    name: str
    seed: bytes

    def __repr__(self) -> str:
        return f"Key({self.name!r}, ***)"

    @property
    def public(self) -> bytes:
        _need_library()
        from nacl.signing import SigningKey

        return bytes(SigningKey(self.seed).verify_key)

    def sign(self, text: bytes) -> Signature:
        """Sign a note's text; raises LedgerError where the extra is missing."""
        named = key_hash(self.name, self.public)
        from nacl.signing import SigningKey

        return Signature(self.name, named, SigningKey(self.seed).sign(text).signature)


def verifies(public: bytes, text: bytes, signature: Signature) -> bool:
    """Whether a signature of `text` was made by the key; raises LedgerError without the extra."""
    _need_library()
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(public).verify(text, signature.data)
    except (BadSignatureError, ValueError):  # forged, or not 64 bytes
        return False
    return True


def read_key(path: str, name: str | None = None) -> Key:
    """The key in a file; with a `name` a new one is made where there is none.

    The file has the form of Go's sumdb/note and is readable for its user alone. Raises LedgerError.
    """
    try:
        with open(path, encoding="ascii") as file:
            return _parsed(file.read(1000), path)
    except FileNotFoundError:
        if name is None:
            made = "`tokentop ledger checkpoint` makes one"
            raise LedgerError(f"there is no key at {path}; {made}") from None
        return _made(path, name)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise LedgerError(f"the key {path} cannot be read ({reason})") from None


def _made(path: str, name: str) -> Key:
    key = Key(name, os.urandom(32))
    body = b64encode(ED25519 + key.seed).decode()
    text = f"{_PREFIX}+{name}+{key_hash(name, key.public).hex()}+{body}\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return key


def _parsed(text: str, path: str) -> Key:
    _, _, rest = text.strip().partition(f"{_PREFIX}+")
    name, _, rest = rest.partition("+")
    shown, _, body = rest.partition("+")
    try:
        data = b64decode(body, validate=True)
        key = Key(name, data[1:])
        right = (
            data[:1] == ED25519 and len(data) == 33 and key_hash(name, key.public).hex() == shown
        )
    except ValueError:
        right = False
    if not right:
        raise LedgerError(f"{path} holds no Ed25519 key (PRIVATE+KEY+name+hash+base64)")
    return key


def _need_library() -> None:
    try:
        import nacl.signing  # noqa: F401
    except ImportError:
        raise LedgerError(EXTRA) from None
