"""The user's own command, run without a shell and within a time limit."""

import os
import subprocess
from collections.abc import Mapping, Sequence

_LAST = 200  # characters of its standard error that are repeated


def run_command(words: Sequence[str], variables: Mapping[str, str], timeout_s: float) -> str | None:
    """Run `words` with `variables` in its environment; returns why it failed, None for success.

    It reads nothing and what it writes is dropped, but for the end of its standard error where it
    fails. One that takes longer than `timeout_s` is killed.
    """
    try:
        done = subprocess.run(
            list(words),
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout_s,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {timeout_s:g} s"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").strip()[-_LAST:]
    return f"it ended with {done.returncode}" + (f": {said}" if said else "")
