"""`python -m tokentop.views.tui.shots DIR`: the README's pictures, drawn from the frozen demo.

No terminal is needed, and the same version draws the same pictures.
"""

import asyncio
import os
import sys

from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.app import TokentopApp


class Shot(NamedTuple):
    """One picture: the demo's second and part, the size in cells, the keys to press, the theme."""

    name: str
    at_s: float
    size: tuple[int, int]
    part: str = "whole"
    keys: tuple[str, ...] = ()
    theme: str = "dark"


SMALL, LARGE = (80, 24), (120, 40)
SIZES = ((60, 20), SMALL, (100, 30), LARGE, (200, 60))
MACHINES = ("whole", "engines", "gpus")

SHOTS = (
    Shot("dashboard", 30.0, LARGE),
    Shot("engines", 30.0, SMALL, "engines"),
    Shot("down", 114.0, LARGE),
    Shot("fleet", 66.0, LARGE, "fleet"),
    Shot("stack", 66.0, LARGE, "stack"),
    Shot("light", 30.0, LARGE, theme="light"),
    Shot("colorblind", 74.0, LARGE, theme="colorblind"),
    Shot("gpus", 30.0, LARGE, keys=("2",)),
    Shot("history", 300.0, LARGE, keys=("3",)),
    Shot("budgets", 74.0, (100, 20), keys=("b",)),
    Shot("ledger", 74.0, (120, 30), keys=("l",)),
    Shot("compact", 74.0, (80, 12), keys=("c",)),
    *(
        Shot(f"{machine}-{width}x{height}", 74.0, (width, height), machine)
        for machine in MACHINES
        for width, height in SIZES
    ),
)


def demo(shot: Shot) -> Config:
    """The configuration behind a shot: all defaults, the demo standing still."""
    flags = {"demo.enabled": True, "demo.part": shot.part, "demo.at_s": shot.at_s}
    config = load(flags, {}, None)
    return config._replace(ui=config.ui._replace(theme=shot.theme))


async def draw(shot: Shot) -> str:
    """The shot as SVG."""
    app = TokentopApp(demo(shot))
    async with app.run_test(size=shot.size) as pilot:
        await pilot.press(*shot.keys)
        await app.workers.wait_for_complete()  # the ledger is read on a thread
        await pilot.pause()
        picture = app.picture()
    app.session.stop()
    return picture


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
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")  # whatever runs this
    raise SystemExit(main(sys.argv[1:]))
