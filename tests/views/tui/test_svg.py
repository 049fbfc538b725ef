"""Screenshots are drawn alike by viewers that keep no-break spaces and by those that drop them."""

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.views.tui.conftest import MakeApp
from tokentop.views.tui.svg import portable

RUN = '<text class="r1" x="12.2" y="20" textLength="{}" clip-path="url(#l)">{}</text>'


def test_every_group_of_words_stands_at_its_own_cell() -> None:
    """Leading and inner gaps move into x, so nothing depends on how spaces are drawn."""
    drawn = portable(RUN.format("122", "&#160;&#160;8&#160;GPUs&#160;&#160;&#160;up"))
    found = re.findall(r'x="([0-9.]+)".*?textLength="([0-9.]+)".*?>([^<]*)<', drawn)
    assert found == [("36.6", "73.2", "8&#160;GPUs"), ("146.4", "24.4", "up")]


def test_blank_runs_vanish_and_markup_stays_escaped() -> None:
    """A run of spaces draws nothing; &, < and > come out as they went in."""
    assert portable(RUN.format("36.6", "&#160;&#160;&#160;")) == ""
    assert "a&amp;b&#160;&lt;c&gt;" in portable(RUN.format("85.4", "a&amp;b&#160;&lt;c&gt;"))


def test_wide_characters_take_two_cells() -> None:
    """What follows a wide character is where the terminal shows it."""
    drawn = portable(RUN.format("61", "模&#160;&#160;x"))
    assert 'x="61"' in drawn  # 12.2 + (2 + 2) cells


LOADS = re.compile(r"url\((?!#)|@import|@font-face|href=|src=|<image|<script|<foreignObject", re.I)
README_PICTURES = sorted((Path(__file__).parents[3] / "screenshots").glob("*.svg"))


async def test_a_screenshot_loads_nothing(make_app: MakeApp) -> None:
    """No font, image or style comes from elsewhere; Rich's own export links two fonts."""
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert LOADS.search(app.export_screenshot())
        picture = app.picture()
    assert not LOADS.search(picture)
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert "font-family: Fira Code, monospace" in picture


def test_the_pictures_of_the_readme_load_nothing() -> None:
    """Opening the README fetches nothing from anywhere else."""
    assert len(README_PICTURES) == 10
    assert [path.name for path in README_PICTURES if LOADS.search(path.read_text())] == []
