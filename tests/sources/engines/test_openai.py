"""A plain OpenAI-compatible server: names only."""

import pytest

from tests.sources.engines.conversations import AUTH_REQUIRED, WEB_PAGE, Talk, obj, read
from tokentop.domain.readings import Failure
from tokentop.sources.engines.openai import OpenAi
from tokentop.sources.engines.protocol import Answer, Hints


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ("a", "b")),
        ({"data": []}, ()),
        ({"data": None}, ()),
        ({"models": [{"name": "a"}]}, ("a",)),
        ([{"id": "a"}], ("a",)),
    ],
)
def test_names(body: object, names: tuple[str, ...]) -> None:
    """Every shape of the list is read; all else is unknown."""
    reading = read(OpenAi(Hints(configured_slots=4)).poll(0.0), {"/v1/models": obj(body)})
    assert (reading.models, reading.health) == (names, "names-only")
    assert (reading.active, reading.max_slots) == (None, 4)


def test_locked() -> None:
    """A key is wanted, and the advice says how to name it."""
    reading = read(OpenAi().poll(0.0), {"/v1/models": AUTH_REQUIRED})
    assert reading.health == "auth-required"
    assert "token_env" in (reading.advice or "")


@pytest.mark.parametrize("answer", [WEB_PAGE, obj({}), obj(3), Answer(b"\xff")])
def test_no_list(answer: Answer) -> None:
    """Anything else is a failure."""
    assert isinstance(Talk({"/v1/models": answer}).hold(OpenAi().poll(0.0)), Failure)
