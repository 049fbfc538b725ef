"""Ending one of the user's own processes by a signal that cannot reach another one.

A pid is used again once its process is gone. The process is held (pidfd) before its start time is
compared, so what gets the signal is what was shown, or nothing.
"""

import os
import signal

from tokentop.transport import procfs

GONE = "{pid} has ended already"
REUSED = "{pid} is another process by now; nothing was sent"
UNKNOWN = "{pid} is not visible from here: it may run in another container"
OTHERS = "{pid} belongs to {user}; only your own processes are ended here"
REFUSED = "{pid} could not be signalled: {why}"


def end(pid: int, started: int | None, *, force: bool, proc: str = "/proc") -> str | None:
    """Send SIGTERM, or SIGKILL with `force`; returns why not, in one sentence, or None.

    `started` is the start in clock ticks since the boot, as it was shown. Never raises.
    """
    if started is None:
        return UNKNOWN.format(pid=pid)
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return GONE.format(pid=pid)
    except OSError as error:
        return REFUSED.format(pid=pid, why=error.strerror or error)
    try:
        why_not = refusal(pid, started, proc)
        if why_not is None:
            signal.pidfd_send_signal(held, signal.SIGKILL if force else signal.SIGTERM)
        return why_not
    except ProcessLookupError:
        return GONE.format(pid=pid)
    except OSError as error:
        return REFUSED.format(pid=pid, why=error.strerror or error)
    finally:
        os.close(held)


def refusal(pid: int, started: int | None, proc: str = "/proc") -> str | None:
    """Why this process is not to be ended, in one sentence; None where it may be."""
    if started is None:
        return UNKNOWN.format(pid=pid)
    found = procfs.usage(proc, pid)
    if found is None:
        return GONE.format(pid=pid)
    if found.started != started:
        return REUSED.format(pid=pid)
    if found.state == "Z":
        return GONE.format(pid=pid)
    owner = procfs.user(proc, pid)
    if owner != os.geteuid():
        return OTHERS.format(pid=pid, user=_name(owner))
    return None


def _name(uid: int | None) -> str:
    if uid is None:
        return "another user"
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return f"user {uid}"
