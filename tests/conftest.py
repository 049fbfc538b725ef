"""What every worker does once: modules stay compiled, collected tests stay out of the GC's way."""

import gc
import os
import sys
from functools import cache

from httpx._transports import default
from hypothesis import settings
from hypothesis import strategies as st

from tokentop.light_typing import Literal, get_args

# Where a setting forbids bytecode, each worker would rewrite every test's assertions again, and
# each of several hundred interpreters that tests start would compile the program anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Every client reads all certificates first, 36 ms, and here most speak plain HTTP.
default.create_ssl_context = cache(default.create_ssl_context)

# A loaded machine is no mistake of a parser. By hand, for longer: --hypothesis-profile=thorough
settings.register_profile("tokentop", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("tokentop")

if isinstance(Literal, type):  # ours; Hypothesis knows typing's
    st.register_type_strategy(Literal, lambda kind: st.sampled_from(get_args(kind)))


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules live to the end: no collection walks them again.

    A screen leaves 60,000 objects behind: every full collection clears several.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10000, 10, 10)
