"""Checkpoints and keys against the published examples of signed notes, and against cryptography."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tokentop.domain.ledger.note import (
    Checkpoint,
    NoteError,
    Signature,
    key_hash,
    read_notes,
    read_verifier_key,
    signed,
    text_of,
    verifier_key,
)
from tokentop.transport.ledger.signing import Key, verifies

# The example of golang.org/x/mod/sumdb/note.
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNED = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
KEY = Key("tokentop-ledger/a", bytes(range(32)))
POINT = Checkpoint("tokentop-ledger/a", 43017, bytes(range(32)))


def note_of(point: Checkpoint) -> str:
    text = text_of(point)
    return signed(text, KEY.sign(text.encode()))


def test_a_key_and_a_signature_made_elsewhere_are_read() -> None:
    from base64 import b64decode

    name, public = read_verifier_key(VERIFIER + "\n")
    assert name == "PeterNeumann"
    assert verifier_key(name, public) == VERIFIER
    data = b64decode(SIGNED)
    assert data[:4] == key_hash(name, public) == bytes.fromhex("c74f20a3")
    signature = Signature(name, data[:4], data[4:])
    assert verifies(public, TEXT.encode(), signature)
    assert not verifies(public, TEXT.encode() + b"\n", signature)
    assert not verifies(public, TEXT.encode(), signature._replace(data=b"short"))


def test_a_checkpoint_has_the_lines_of_the_specification() -> None:
    """Origin, size, root, an empty line, the signature; another library verifies it."""
    lines = note_of(POINT).split("\n")
    assert lines[:4] == ["tokentop-ledger/a", "43017", b64encode(bytes(range(32))).decode(), ""]
    assert lines[4].startswith("— tokentop-ledger/a ")
    (note,) = read_notes(note_of(POINT))
    (signature,) = note.signatures
    Ed25519PublicKey.from_public_bytes(KEY.public).verify(signature.data, note.text)
    assert note.checkpoint == POINT


def test_several_checkpoints_stand_in_one_file() -> None:
    """As a file has them to which they were appended, with or without empty lines between."""
    points = [POINT, POINT._replace(size=50_000), POINT._replace(origin="tokentop-ledger/b")]
    for between in ("", "\n", "\n\n"):
        text = between.join(map(note_of, points))
        assert [note.checkpoint for note in read_notes(text)] == points


def test_an_extension_line_is_signed_with_the_rest() -> None:
    text = text_of(POINT) + "an extension\n"
    (note,) = read_notes(signed(text, KEY.sign(text.encode())))
    assert note.text == text.encode()
    assert verifies(KEY.public, note.text, note.signatures[0])


@pytest.mark.parametrize(
    "text",
    [
        "hello\n",
        text_of(POINT),
        note_of(POINT).replace("43017", "-1"),
        note_of(POINT).replace("43017", "9" * 30),
        note_of(POINT).replace("43017", "٤"),
        note_of(POINT).replace("\nAAEC", "\n&&&&"),
        note_of(POINT).replace("\nAAEC", "\nAAECAwQF"),
        note_of(POINT).rpartition(" ")[0] + " AAAA\n",
    ],
)
def test_what_is_no_checkpoint_is_refused_in_words(text: str) -> None:
    with pytest.raises(NoteError, match="checkpoint"):
        list(read_notes(text))


@pytest.mark.parametrize("text", ["", "a+b+c", VERIFIER[:-4], VERIFIER.replace("Peter", "Paul")])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        read_verifier_key(text)


def test_a_secret_key_does_not_print() -> None:
    assert repr(KEY) == "Key('tokentop-ledger/a', ***)"
