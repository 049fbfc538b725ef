"""What every test of the full screen stands on: a quiet environment and a frozen demo."""

from collections.abc import Callable

import pytest

from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.views.tui.app import TokentopApp

MakeApp = Callable[..., TokentopApp]


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's terminal changes the picture."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM", "TEXTUAL", "TEXTUAL_FILTERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


def frozen(at_s: float, theme: str = "dark", *, ascii_only: bool = False) -> Config:
    """The configuration of a demo that stands still `at_s` seconds in."""
    config = load({}, {}, None)
    return config._replace(
        demo=config.demo._replace(enabled=True, at_s=at_s),
        ui=config.ui._replace(theme=theme, ascii=ascii_only),
    )


@pytest.fixture
def make_app() -> MakeApp:
    """An app on the frozen demo: `make_app(at_s, theme)`."""

    def make(at_s: float = 100.0, theme: str = "dark", **options: bool) -> TokentopApp:
        return TokentopApp(frozen(at_s, theme, **options))

    return make
