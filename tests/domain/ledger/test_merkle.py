"""The Merkle tree against RFC 6962: its published vectors, and its own recursive definition."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.ledger.merkle import Frontier, leaf_hash, path, root_of

# The inputs and roots by which implementations of Certificate Transparency are tested.
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def defined_root(entries: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return sha256(b"\x01" + defined_root(entries[:k]) + defined_root(entries[k:])).digest()


def defined_path(index: int, entries: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, as it is written there."""
    if len(entries) == 1:
        return []
    k = 1
    while 2 * k < len(entries):
        k *= 2
    if index < k:
        return [*defined_path(index, entries[:k]), defined_root(entries[k:])]
    return [*defined_path(index - k, entries[k:]), defined_root(entries[:k])]


def test_the_roots_are_those_of_certificate_transparency() -> None:
    tree = Frontier()
    assert tree.root() == sha256(b"").digest()
    found = []
    for data in LEAVES:
        tree.add(leaf_hash(data))
        found.append(tree.root().hex())
    assert found == list(ROOTS)


@given(st.integers(1, 70), st.data())
def test_a_proof_leads_to_the_root_and_no_other_leaf_does(size: int, data: st.DataObject) -> None:
    """Of a tree of any size, and of the first part of a longer log."""
    index = data.draw(st.integers(0, size - 1))
    entries = [bytes([number]) for number in range(size)]
    longer = [leaf_hash(entry) for entry in [*entries, b"later", b"still later"]]
    proof = path(longer, index, size)
    assert proof == defined_path(index, entries)
    root = defined_root(entries)
    assert root_of(leaf_hash(entries[index]), index, size, proof) == root
    assert root_of(leaf_hash(b"another"), index, size, proof) != root
    assert root_of(leaf_hash(entries[index]), index, size, [*proof, root]) != root


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (0, 5)])
def test_a_leaf_outside_of_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=r"leaf|leaves"):
        path([leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")], index, size)
