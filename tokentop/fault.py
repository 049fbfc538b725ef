"""An unexpected error as one sentence that names the kind and the place, never a value.

Values may hold a secret, and a traceback's locals do.
"""

from os.path import basename

from tokentop import __version__


def sentence(error: BaseException) -> str:
    """`unexpected KeyError in fold.py:62; please report it (version 1.2.3)`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f" in {basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
    return f"unexpected {type(error).__name__}{place}; please report it (version {__version__})"
