"""The user's choices on the screen as one value: what is remembered between runs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from tokentop.config.schema import THEMES, Config
from tokentop.domain.text import known
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.live.poller import INTERVALS
from tokentop.transport import user_state
from tokentop.views.tui.draw.sorts import BUDGET_SORTS, ENGINE_SORTS, GPU_SORTS, PROCESS_SORTS
from tokentop.views.tui.state import ViewState


class Choices(NamedTuple):
    """Theme, interval in seconds, and how the tables are sorted."""

    theme: str
    interval_s: float
    sort: str = "index"
    reverse: bool = False
    engine_sort: str = "model"
    engine_reverse: bool = False
    process_sort: str = "gpu"
    process_reverse: bool = False
    budget_sort: str = "clock"
    budget_reverse: bool = False


_TABLES = Choices._fields[2:]  # which ViewState has as well


def restored(saved: Mapping[str, object], config: Config) -> Choices:
    """The saved choices where they make sense; a set theme or interval wins over a saved one."""
    theme, interval_s = saved.get("theme"), saved.get("interval_s")
    free = {name for name, origin in config.origins if origin == "default"}
    keep_theme = isinstance(theme, str) and theme in THEMES and "ui.theme" in free
    in_range = isinstance(interval_s, int | float) and known(interval_s)
    in_range = in_range and INTERVALS[0] <= interval_s <= INTERVALS[-1]  # type: ignore[operator]
    keep_interval = in_range and "interval" in free
    return Choices(
        str(theme) if keep_theme else config.ui.theme,
        float(interval_s) if keep_interval else config.interval_s,  # type: ignore[arg-type]
        _sort(saved.get("sort"), GPU_SORTS),
        saved.get("reverse") is True,
        _sort(saved.get("engine_sort"), ENGINE_SORTS),
        saved.get("engine_reverse") is True,
        _sort(saved.get("process_sort"), PROCESS_SORTS),
        saved.get("process_reverse") is True,
        _sort(saved.get("budget_sort"), BUDGET_SORTS),
        saved.get("budget_reverse") is True,
    )


def _sort(saved: object, sorts: Sequence[str]) -> str:
    """A saved sort that exists, else the usual one, which is the first."""
    return saved if isinstance(saved, str) and saved in sorts else sorts[0]


async def keep(current: Callable[[], Choices]) -> None:
    """Save the choices, on a thread: the directory may lie on a slow disk."""
    with suppress(RuntimeError):  # no thread to be had
        await asyncio.to_thread(lambda: user_state.save(current()._asdict()))


def applied(choices: Choices, view: ViewState) -> ViewState:
    """The view with its tables sorted as chosen."""
    return view._replace(**{name: getattr(choices, name) for name in _TABLES})


def chosen(theme: str, interval_s: float, view: ViewState) -> Choices:
    """The choices in force."""
    return Choices(theme, interval_s, *(getattr(view, name) for name in _TABLES))
