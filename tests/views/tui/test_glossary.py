"""One vocabulary: every word of the screen is in the glossary, and each means one thing."""

import re
from pathlib import Path

import pytest

from tests.views.draw.regold import GOLDENS
from tests.views.tui.conftest import MakeApp
from tests.views.tui.pilot import pressed
from tokentop.arguments.parse import Stop, parse
from tokentop.config.show import example
from tokentop.domain.verdict.values import Tier
from tokentop.light_typing import get_args
from tokentop.views.glossary import GLOSSARY, markdown
from tokentop.views.palette import ENGINE_SYMBOLS, SERVICE_SYMBOLS, tier_theme

WORDS = {term.word for terms in GLOSSARY.values() for term in terms}
README = Path(__file__).parents[3] / "README.md"


def test_every_state_and_tier_is_explained() -> None:
    """Each state that an engine or a service may show, and the word of each tier."""
    states = {*ENGINE_SYMBOLS, *SERVICE_SYMBOLS}
    assert states <= WORDS
    (tiers,) = (term.meaning for term in GLOSSARY["How full"] if term.word == "tier")
    assert all(tier_theme(tier).word in tiers for tier in get_args(Tier))


def test_readme_has_the_same_table() -> None:
    """Word for word."""
    assert markdown() in README.read_text(encoding="utf-8")


async def test_it_is_the_second_page_of_help(make_app: MakeApp) -> None:
    """`?` turns to it and back, another key closes it."""
    async with make_app().run_test(size=(100, 60)) as pilot:
        assert "silent burn  " not in await pressed(pilot, "question_mark")
        shown = await pressed(pilot, "question_mark")
        assert "silent burn" in shown
        assert "Filter; esc clears" not in shown
        assert "Filter; esc clears" in await pressed(pilot, "question_mark")
        await pressed(pilot, "x")
        assert len(pilot.app.screen_stack) == 1


async def test_a_long_page_scrolls(make_app: MakeApp) -> None:
    """At 80x24 the last sign is reached with `end`."""
    async with make_app().run_test(size=(80, 24)) as pilot:
        assert "nineteen" not in await pressed(pilot, "question_mark", "question_mark")
        assert "nineteen" in await pressed(pilot, "end")


def _help() -> str:
    with pytest.raises(Stop) as stop:
        parse(["--help"])
    return stop.value.text


def _texts() -> dict[str, str]:
    return {
        "screen": "\n".join(path.read_text(encoding="utf-8") for path in GOLDENS.glob("*.txt")),
        "--help": _help(),
        "config": re.sub(r"^#?\s*\w+ =.*$", "", example(), flags=re.MULTILINE),
        "README": README.read_text(encoding="utf-8"),
    }


def test_util_is_a_gpus_and_credits_are_the_economys() -> None:
    """No utilisation but a GPU's; a bare `tok` is no unit, and tokens are no price."""
    for name, text in _texts().items():
        prose = re.sub(r"`[^`]*`", "", text)
        for line in prose.splitlines():
            assert not re.search(r"(?i)utili[sz]ation", line) or "GPU" in line, (name, line)
            assert not re.search(r"\btok\b(?!/s)", line), (name, line)
            assert not re.search(r"(?i)tokens? (a|per) (request|dollar|hour)", line), (name, line)
