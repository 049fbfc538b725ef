"""Screenshots are drawn alike by viewers that keep no-break spaces and by those that drop them."""

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.views.tui.conftest import MakeApp
from tokentop.views.tui.svg import portable, save

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
    assert len(README_PICTURES) == 27
    assert [path.name for path in README_PICTURES if LOADS.search(path.read_text())] == []


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    """In a folder that others can write to; the picture gets the next name, readable for us."""
    victim, wanted = tmp_path / "victim", tmp_path / "tokentop.svg"
    victim.write_text("mine")
    wanted.symlink_to(victim)
    saved = Path(save(str(wanted), "<svg/>"))
    assert saved == tmp_path / "tokentop-2.svg"
    assert (victim.read_text(), saved.read_text()) == ("mine", "<svg/>")
    assert saved.stat().st_mode & 0o777 == 0o600
    assert wanted.is_symlink()


def test_pipes_and_old_pictures_are_left_alone(tmp_path: Path) -> None:
    """And after ten of them it is a sentence."""
    wanted = tmp_path / "tokentop.svg"
    os.mkfifo(wanted)
    names = [Path(save(str(wanted), f"<svg>{at}</svg>")).name for at in range(2, 11)]
    assert names == [f"tokentop-{at}.svg" for at in range(2, 11)]
    with pytest.raises(FileExistsError, match="ten files"):
        save(str(wanted), "<svg/>")
    assert (tmp_path / "tokentop-2.svg").read_text() == "<svg>2</svg>"


async def test_the_key_saves_beside_a_planted_link(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frozen demo's clock makes the name known beforehand, as the second makes any."""
    monkeypatch.chdir(tmp_path)
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press("S")
        await pilot.pause()
        (first,) = tmp_path.glob("*.svg")  # noqa: ASYNC240
        first.unlink()
        first.symlink_to(tmp_path / "victim")
        await pilot.press("S")
        await pilot.pause()
    assert not (tmp_path / "victim").exists()
    assert sorted(os.listdir(tmp_path)) == sorted([first.name, f"{first.stem}-2.svg"])
