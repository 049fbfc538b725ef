"""Why the program ends early, as one sentence that names the kind and the place, never a value.

Values may hold a secret, and a traceback's locals do.
"""

import errno
from os.path import basename

from tokentop import __version__

_NO_THREAD = (
    "no further thread can be started; raise the limit on processes "
    "(ulimit -u, or the container's pids limit)"
)
_NO_MEMORY = "not enough memory; raise the limit (ulimit -v, or the container's)"
_NO_DESCRIPTOR = "too many open files; raise the limit (ulimit -n)"
_BY_NUMBER = {errno.EMFILE: _NO_DESCRIPTOR, errno.ENFILE: _NO_DESCRIPTOR, errno.ENOMEM: _NO_MEMORY}
_BY_WORDS = (  # the interpreter and the dynamic loader have no number for these
    ("can't start new thread", _NO_THREAD),
    ("can't allocate lock", _NO_MEMORY),
    ("can't allocate read lock", _NO_MEMORY),
    ("failed to map segment", _NO_MEMORY),
    ("cannot allocate memory", _NO_MEMORY),
    ("without exception set", _NO_MEMORY),  # the interpreter had none left to say so
    ("without setting an exception", _NO_MEMORY),
    ("too many open files", _NO_DESCRIPTOR),
)


def sentence(error: BaseException) -> str:
    """`unexpected KeyError in fold.py:62; please report it (version 1.2.3)`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f" in {basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
    return f"unexpected {type(error).__name__}{place}; please report it (version {__version__})"


def exhausted(error: BaseException) -> str | None:
    """What this machine has run out of, and the limit to raise; None for any other error."""
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno]
    if not isinstance(error, RuntimeError | ImportError | OSError | SystemError):
        return None
    words = str(error).lower()
    return next((found for sign, found in _BY_WORDS if sign in words), None)
