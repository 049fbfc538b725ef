"""The user's choices on the screen as one value: what is remembered between runs."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from tokentop.config.schema import THEMES, Config
from tokentop.domain.text import known
from tokentop.runtime.live.poller import INTERVALS
from tokentop.transport import user_state
from tokentop.views.tui.draw.panels.engines.rows import ENGINE_SORTS
from tokentop.views.tui.draw.panels.gpus.rows import SORTS
from tokentop.views.tui.state import ViewState


class Choices(NamedTuple):
    """Theme, interval in seconds, and how the two tables are sorted."""

    theme: str
    interval_s: float
    sort: str = "index"
    reverse: bool = False
    engine_sort: str = "model"
    engine_reverse: bool = False


def restored(saved: Mapping[str, object], config: Config) -> Choices:
    """The saved choices where they make sense; a set theme or interval wins over a saved one."""
    theme, interval_s = saved.get("theme"), saved.get("interval_s")
    sort, engine_sort = saved.get("sort"), saved.get("engine_sort")
    free = {name for name, origin in config.origins if origin == "default"}
    keep_theme = isinstance(theme, str) and theme in THEMES and "ui.theme" in free
    in_range = isinstance(interval_s, int | float) and known(interval_s)
    in_range = in_range and INTERVALS[0] <= interval_s <= INTERVALS[-1]  # type: ignore[operator]
    keep_interval = in_range and "interval" in free
    return Choices(
        str(theme) if keep_theme else config.ui.theme,
        float(interval_s) if keep_interval else config.interval_s,  # type: ignore[arg-type]
        str(sort) if sort in SORTS else "index",
        saved.get("reverse") is True,
        str(engine_sort) if engine_sort in ENGINE_SORTS else "model",
        saved.get("engine_reverse") is True,
    )


async def keep(current: Callable[[], Choices]) -> None:
    """Save the choices, on a thread: the directory may lie on a slow disk."""
    with suppress(RuntimeError):  # no thread to be had
        await asyncio.to_thread(lambda: user_state.save(current()._asdict()))


def applied(choices: Choices, view: ViewState) -> ViewState:
    """The view with its tables sorted as chosen."""
    return view._replace(**{
        name: getattr(choices, name)
        for name in ("sort", "reverse", "engine_sort", "engine_reverse")
    })  # fmt: skip


def chosen(theme: str, interval_s: float, view: ViewState) -> Choices:
    """The choices in force."""
    return Choices(
        theme, interval_s, view.sort, view.reverse, view.engine_sort, view.engine_reverse
    )
