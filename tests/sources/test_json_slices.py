"""Documents read in slices are what json.loads makes of them, however small the slices."""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers import hostile
from tests.sources.anyjson import documents
from tokentop.sources import json_fields, json_slices

TEXTS = st.text(alphabet='[]{}",:\\ 1e-tru\n', max_size=60)


@pytest.fixture(autouse=True, scope="module")
def small_slices() -> Iterator[None]:
    """A window of a few characters cuts everywhere."""
    whole, json_slices.WINDOW = json_slices.WINDOW, 12
    yield
    json_slices.WINDOW = whole


@given(documents, st.sampled_from([None, 1]))
def test_the_same_as_json_loads(document: object, indent: int | None) -> None:
    """Any document, packed or with line breaks."""
    text = json.dumps(document, indent=indent)
    assert repr(json_slices.load(text, int)) == repr(json.loads(text))


def outcome(load: Callable[[], object]) -> str:
    try:
        return repr(load())
    except ValueError:
        return "refused"


@given(TEXTS)
def test_refuses_what_json_loads_refuses(text: str) -> None:
    """Texts that are hardly ever JSON."""
    expected = outcome(lambda: json.loads(text))
    assert outcome(lambda: json_slices.load(text, int)) == expected


@given(documents, st.data())
def test_refuses_what_was_cut_short(document: object, data: st.DataObject) -> None:
    """A document that ends too early is none, unless what is left is one."""
    text = json.dumps(document)
    text = text[: data.draw(st.integers(0, len(text)))]
    expected = outcome(lambda: json.loads(text))
    assert outcome(lambda: json_slices.load(text, int)) == expected


def test_deep_nesting_is_bad_data() -> None:
    """Brackets in brackets end in a sentence, not in a crash."""
    with pytest.raises(json_fields.BadData, match="nested too deeply"):
        json_fields.load(hostile.nested())
