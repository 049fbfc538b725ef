"""`python -m tokentop.views.tui.shots DIR`: the README's pictures, drawn from the frozen demo.

No terminal is needed, and the same version draws the same pictures.
"""

import asyncio
import os
import sys
from typing import NamedTuple

from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.views.tui.app import TokentopApp


class Shot(NamedTuple):
    """One picture: the demo's second, the terminal's size, the keys to press, the theme."""

    name: str
    at_s: float
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "dark"


SHOTS = (
    Shot("dashboard", 66.0, (120, 40)),
    Shot("saturated", 100.0, (120, 40)),
    Shot("idle", 8.0, (120, 40)),
    Shot("light", 66.0, (120, 40), theme="light"),
    Shot("colorblind", 84.0, (120, 40), theme="colorblind"),
    Shot("gpus", 66.0, (120, 40), ("2",)),
    Shot("history", 300.0, (120, 40), ("3",)),
    Shot("small", 84.0, (80, 24)),
    Shot("compact", 84.0, (80, 12), ("c",)),
    Shot("wide", 300.0, (200, 60)),
)


def demo(shot: Shot) -> Config:
    """The configuration behind a shot: all defaults, the demo standing still."""
    config = load({}, {}, None)
    return config._replace(
        demo=config.demo._replace(enabled=True, at_s=shot.at_s),
        ui=config.ui._replace(theme=shot.theme),
    )


async def draw(shot: Shot) -> str:
    """The shot as SVG."""
    app = TokentopApp(demo(shot))
    async with app.run_test(size=shot.size) as pilot:
        await pilot.press(*shot.keys)
        await pilot.pause()
        return app.picture()


def main(argv: list[str]) -> int:
    """Draw every shot into the folder named; returns the exit code."""
    if len(argv) != 1:
        print("usage: python -m tokentop.views.tui.shots DIR", file=sys.stderr)  # noqa: T201
        return 2
    os.makedirs(argv[0], exist_ok=True)
    for shot in SHOTS:
        path = os.path.join(argv[0], f"{shot.name}.svg")
        with open(path, "w", encoding="utf-8") as file:
            file.write(asyncio.run(draw(shot)))
        print(path)  # noqa: T201
    return 0


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    raise SystemExit(main(sys.argv[1:]))
