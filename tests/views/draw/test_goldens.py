"""The composed screen as text, every state at every size. Regenerate: see regold.py."""

import pytest

from tests.views.draw.pictures import pictures
from tests.views.draw.regold import GOLDENS

PICTURES = pictures()


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_the_screen_is_what_was_last_looked_at(name: str) -> None:
    """Each state at each size is drawn cell for cell as in its golden."""
    golden = (GOLDENS / f"{name}.txt").read_text(encoding="utf-8")
    assert PICTURES[name]() + "\n" == golden


def test_no_golden_is_left_over() -> None:
    """Every file stands for a picture that is still drawn."""
    assert {path.stem for path in GOLDENS.glob("*.txt")} == set(PICTURES)
