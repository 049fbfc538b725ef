"""Run a command in a pseudo-terminal, wait for the full screen, press q: did the main job start?"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

WANTED = b"DEMO"
LIMIT_S = 300.0  # installing comes first


def spawn(command: str) -> tuple[int, int]:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp("bash", ["bash", "-c", command])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    return pid, terminal


def read_until(terminal: int, wanted: bytes, deadline: float) -> bytes:
    seen = b""
    while wanted not in seen and time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 1.0)
        if ready:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:  # the command ended
                break
            if not chunk:
                break
            seen += chunk
    return seen


def main(command: str) -> int:
    deadline = time.monotonic() + LIMIT_S
    pid, terminal = spawn(command)
    seen = read_until(terminal, WANTED, deadline)
    if WANTED not in seen:
        sys.stdout.write(seen.decode(errors="replace")[-4000:])
        print("the full screen did not appear")
        return 1
    os.write(terminal, b"q")
    read_until(terminal, b"\x1b[?1049l", deadline)
    while True:
        try:
            if not os.read(terminal, 65536):
                break
        except OSError:
            break
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    print(f"the full screen appeared and q ended it with exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
