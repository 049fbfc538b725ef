"""A recorded /proc tree in a temporary directory: other users' processes, containers."""

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = "net:[1]"

Row = tuple[str, int, int, int]
"""A listening socket: host, port, inode, user."""


class Tree:
    """Writes the few files of /proc that discovery reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._networks: dict[str, tuple[Sequence[Row], str]] = {HERE: ((), "")}
        self._folder("self", HERE)

    def listen(self, network: str, *rows: Row, address: str = "") -> None:
        """What listens in a network namespace, and its own IPv4 address; before its processes."""
        self._networks[network] = (rows, address)
        if network == HERE:
            self._sockets(self.root / "self", HERE)

    def process(
        self,
        pid: int,
        parent: int,
        *argv: str,
        holds: Sequence[int] | None = (),
        network: str = HERE,
        hidden: bool = False,
        user: int = 1000,
        environ: str = "",
        state: str = "S",
    ) -> None:
        """A process; `holds` are inodes, None where its descriptors are not shown.

        `hidden`: the namespace's link is not shown either.
        """
        folder = self._folder(str(pid), network, hidden=hidden)
        (folder / "stat").write_text(f"{pid} (a) b) {state} {parent} 1 1 0")
        (folder / "cmdline").write_bytes(b"".join(a.encode() + b"\0" for a in argv))
        (folder / "status").write_text(f"Name:\tx\nUid:\t{user}\t{user}\t{user}\t{user}\n")
        (folder / "environ").write_text(environ)
        if holds is not None:
            (folder / "fd").mkdir()
            for number, inode in enumerate(holds):
                (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")

    def _folder(self, name: str, network: str, *, hidden: bool = False) -> Path:
        folder = self.root / name
        (folder / "net").mkdir(parents=True)
        (folder / "ns").mkdir()
        if not hidden:
            (folder / "ns" / "net").symlink_to(network)
        self._sockets(folder, network)
        return folder

    def _sockets(self, folder: Path, network: str) -> None:
        """The tables; one file a namespace under many names, as its inode is the same in /proc."""
        rows, address = self._networks.get(network, ((), ""))
        kept = self.root / f"sockets-{network}"
        text = "\n".join(["  sl local", *(_line(*row) for row in rows if ":" not in row[0])])
        kept.write_text(text + "\n")
        (folder / "net" / "tcp").unlink(missing_ok=True)
        (folder / "net" / "tcp").hardlink_to(kept)
        six = "\n".join(["  sl local", *(_line(*row) for row in rows if ":" in row[0])])
        (folder / "net" / "tcp6").write_text(six + "\n")
        trie = f"  |-- 127.0.0.1\n     /32 host LOCAL\n  |-- {address}\n     /32 host LOCAL\n"
        (folder / "net" / "fib_trie").write_text(trie)


def _line(host: str, port: int, inode: int, user: int, state: str = "0A") -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    packed = socket.inet_pton(family, host)
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    local = "".join(f"{word:08X}" for word in words)
    return f" 0: {local}:{port:04X} {'0' * len(local)}:0000 {state} 0:0 00:0 0 {user} 0 {inode} 1"
