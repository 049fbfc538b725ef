"""The Merkle tree of RFC 6962 over a log: its root, and the proof that one entry is in it."""

from collections.abc import Iterable, Sequence
from hashlib import sha256


def leaf_hash(data: bytes) -> bytes:
    """The leaf of an entry's bytes."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A tree that grows by leaves and keeps only the roots of its full subtrees, largest first.

    `size` counts the leaves. Memory is log2(size) hashes.
    """

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        self.size = size
        self._roots = list(roots)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """With the size, all that is needed to go on from here."""
        return tuple(self._roots)

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        rest = self.size
        while rest & 1:
            leaf = node_hash(self._roots.pop(), leaf)
            rest >>= 1
        self._roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now; SHA-256 of nothing where it is empty."""
        if not self._roots:
            return sha256().digest()
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = node_hash(left, root)
        return root


def path(leaves: Iterable[bytes], index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` (from 0) in the tree of the first `size` leaves.

    `leaves` is walked once and may be longer; memory is O(log size). Raises ValueError where the
    index is outside of the tree, or there are fewer leaves.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    given = iter(leaves)
    return _path(given, index, size)[0]


def _path(leaves: Iterable[bytes], index: int, size: int) -> tuple[list[bytes], bytes]:
    """The path inside of a subtree whose leaves come next, and the subtree's root."""
    if size == 1:
        return [], _taken(leaves, 1)
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        inner, root = _path(leaves, index, left)
        beside = _taken(leaves, size - left)
        return [*inner, beside], node_hash(root, beside)
    beside = _taken(leaves, left)
    inner, root = _path(leaves, index - left, size - left)
    return [*inner, beside], node_hash(beside, root)


def _taken(leaves: Iterable[bytes], count: int) -> bytes:
    """The root over the next `count` leaves."""
    tree = Frontier()
    for _, leaf in zip(range(count), leaves, strict=False):  # range first: it stops without a leaf
        tree.add(leaf)
    if tree.size != count:
        raise ValueError("the tree has fewer leaves")
    return tree.root()


def root_of(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a leaf and its path lead to (RFC 9162, 2.1.3.2); None for a wrong path."""
    if not 0 <= index < size:
        return None
    first, last, root = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return None
        if first & 1 or first == last:
            root = node_hash(beside, root)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            root = node_hash(root, beside)
        first, last = first >> 1, last >> 1
    return root if last == 0 else None
