"""Fixtures of the full screen's tests: a clean environment and the frozen demo."""

from collections.abc import AsyncIterator, Callable, Iterable
from copy import deepcopy
from typing import Any

import pytest
from textual.screen import Screen

from tests.views.tui.pilot import AppPilot
from tokentop.collect.collector import Collector
from tokentop.config.load import load
from tokentop.config.schema import Config, UiConfig
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime import demo
from tokentop.views.tui.app import TokentopApp
from tokentop.views.tui.terminal.minimal_updates import MinimalUpdate, Update, minimal
from tokentop.views.tui.terminal.picture import Piece

MakeApp = Callable[..., TokentopApp]


@pytest.fixture(autouse=True)
def own_runtime_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What the apps leave for other views stays among the tests of this process."""
    place = tmp_path_factory.getbasetemp() / "runtime"
    place.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))


@pytest.fixture(autouse=True)
def clean_terminal_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the developer's terminal changes the picture."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM", "TEXTUAL", "TEXTUAL_FILTERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


Played = tuple[dict[str, Any], list[tuple[Snapshot, float]]]
played: dict[Config, Played] = {}


@pytest.fixture(autouse=True)
def each_moment_is_played_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polling up to a frozen moment is most of a start: later apps take a copy of its end."""
    forward = demo.fast_forward

    def play(collector: Collector, config: Config, on_poll: demo.OnPoll) -> None:
        key = config._replace(ui=UiConfig())
        if key not in played:
            polls: list[tuple[Snapshot, float]] = []
            forward(collector, config, lambda *poll: polls.append(poll))
            played[key] = deepcopy(vars(collector)), polls
        else:
            vars(collector).update(deepcopy(played[key][0]) | {"_config": config})
        for snapshot, now in played[key][1]:
            on_poll(snapshot, now)

    monkeypatch.setattr(demo, "fast_forward", play)


def frozen(at_s: float, theme: str = "dark", *, ascii_only: bool = False) -> Config:
    """The configuration of the demo's stack frozen at second `at_s`."""
    config = load({}, {}, None)
    return config._replace(
        demo=config.demo._replace(enabled=True, at_s=at_s, part="stack"),
        ui=config.ui._replace(theme=theme, ascii=ascii_only),
    )


@pytest.fixture
def make_app() -> MakeApp:
    """An app on the frozen demo: `make_app(at_s, theme)`."""

    def make(at_s: float = 100.0, theme: str = "dark", **options: bool) -> TokentopApp:
        return TokentopApp(frozen(at_s, theme, **options))

    return make


@pytest.fixture
async def at_large(make_app: MakeApp) -> AsyncIterator[AppPilot]:
    """A running app at 120 x 40."""
    async with make_app().run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        yield pilot


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What every update sends to the terminal from now on, which a pilot's app does not have."""
    texts: list[str] = []

    def display(app: TokentopApp, _: Screen[object], renderable: Update) -> None:
        update = minimal(renderable, app.terminal_picture)
        assert isinstance(update, MinimalUpdate | None)
        texts.append(update.render_segments(app.console) if update else "")

    def pieces(app: TokentopApp, given: Iterable[Piece]) -> None:
        update = MinimalUpdate(app.terminal_picture, given)
        texts.append(update.render_segments(app.console))

    monkeypatch.setattr(TokentopApp, "_display", display)
    monkeypatch.setattr(TokentopApp, "send_pieces", pieces)
    return texts
