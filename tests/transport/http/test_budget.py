"""What a hostile server may cost: every attack ends in a failure with a sentence, or an answer."""

import gc
import tracemalloc

import pytest

from tests.servers import hostile
from tests.servers.behaviours import ok
from tests.servers.loopback import Server
from tests.transport.http.conftest import Fetch
from tokentop.domain.readings import Failure
from tokentop.transport.http.messages import Reply, Request

REFUSED = {
    "2 MiB of {}": "rows in one poll",
    "2 MiB of series": "rows in one poll",
    "2 MiB of line ends": "rows in one poll",
    "2 MiB of other series": "rows in one poll",
    "2 MiB of escapes": "rows in one poll",
    "nested brackets": "rows in one poll",
    "one-byte chunks": "tiny pieces",
    "endless 100 Continue": "interim answers",
    "endless trailers": "headers without end",
}


@pytest.mark.parametrize(("name", "words"), REFUSED.items())
def test_what_costs_too_much_is_refused_in_words(fetch: Fetch, name: str, words: str) -> None:
    """Long before the timeout, and as a failure that the breaker counts."""
    with Server(hostile.ATTACKS[name]()) as server:
        outcome = fetch(Request(server.url, timeout_s=20.0))
    assert isinstance(outcome, Failure)
    assert outcome.kind == "too-large"
    assert words in outcome.text
    assert server.url in outcome.text
    assert not outcome.neutral


def test_a_refused_answer_leaves_nothing_behind(fetch: Fetch) -> None:
    """What had arrived is dropped at once, not when garbage is collected."""
    with Server(hostile.ATTACKS["2 MiB of escapes"]()) as server:
        fetch(Request(server.url, timeout_s=20.0))
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            for _ in range(5):
                fetch(Request(server.url, timeout_s=20.0))
            left, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
    assert left < 2**20


def test_forty_thousand_names_are_read(fetch: Fetch) -> None:
    """A long list is no attack yet."""
    with Server(ok(1)) as server:
        server.answer = hostile.ATTACKS["40,000 names"]()
        outcome = fetch(Request(server.url, timeout_s=20.0))
    assert isinstance(outcome, Reply)
