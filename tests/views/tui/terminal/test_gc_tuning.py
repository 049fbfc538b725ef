"""Garbage is collected while the screen runs, and not among what was loaded for it."""

import subprocess
import sys

SCRIPT = """
import gc, weakref
gc.disable()
from tokentop.views.tui.terminal.gc_tuning import begin_collecting
class Node: pass
def cycle():
    node = Node()
    node.me = node
    return weakref.ref(node)
loaded = cycle()
begin_collecting()
polled = cycle()
kept = [[] for _ in range(100_000)]  # as many new objects as make every generation due
print(loaded() is not None, polled() is None)
"""


def test_only_what_is_new_is_collected() -> None:
    """In a process of its own: what is frozen there stays frozen."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout == "True True\n", done.stderr
