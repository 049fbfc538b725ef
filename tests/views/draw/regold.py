"""Draws every golden anew: `python -m tests.views.draw.regold`. Read the difference before
committing it."""

from pathlib import Path

from tests import engine_examples, examples
from tokentop.views.tui.draw.compose import compose, text
from tokentop.views.tui.draw.kit.line import DrawOptions

GOLDENS = Path(__file__).parent / "goldens"
SIZES = ((40, 12), (60, 20), (80, 24), (120, 40), (200, 60))
HISTORY = tuple(None if 60 <= i < 66 else 0.3 + 0.012 * (i % 40) for i in range(150))
USUAL = DrawOptions(clock="12:04:31", history=HISTORY)

STATES = examples.STATES | engine_examples.STATES
# Name: state, look, sizes. The looks beside the usual one are drawn where they differ most.
VARIANTS = {
    "ascii": ("surge", USUAL._replace(ascii=True), SIZES),
    "compact": ("surge", USUAL._replace(compact=True), ((80, 24), (60, 8), (40, 12))),
    "badges": ("high", USUAL._replace(paused=True, insecure_tls=True), ((80, 24), (120, 40))),
    "filtering": ("64-gpus", USUAL._replace(filter="GPU-0000001", filtering=True), ((80, 24),)),
    "sorted": ("troubled", USUAL._replace(sort="util", selected=3), ((80, 24), (120, 40))),
    "hidden": ("high", USUAL._replace(hidden=frozenset({"slots", "cloud", "metrics"})),
               ((80, 24), (120, 40))),
    "later": ("stale", USUAL._replace(elapsed_s=200.0), ((80, 24),)),
    "engines-ascii": ("engines", USUAL._replace(ascii=True), ((120, 40),)),
    "engines-compact": ("priced", USUAL._replace(compact=True), ((80, 12),)),
    "winding-down": ("idle", USUAL._replace(elapsed_s=11.0), ((60, 20),)),
}  # fmt: skip


def pictures() -> dict[str, str]:
    """Every golden's file name with what it should hold."""
    drawn = {
        f"{state}-{w}x{h}": text(compose(build(), w, h, _options(state)))
        for state, build in STATES.items()
        for w, h in SIZES
    }
    for name, (state, options, sizes) in VARIANTS.items():
        snapshot = STATES[state]()
        drawn |= {f"{name}-{w}x{h}": text(compose(snapshot, w, h, options)) for w, h in sizes}
    return drawn


def _options(state: str) -> DrawOptions:
    return USUAL._replace(history=()) if state in ("first-paint", "empty") else USUAL


def main() -> None:
    """Write them all; what is no longer drawn goes."""
    GOLDENS.mkdir(exist_ok=True)
    drawn = pictures()
    for old in GOLDENS.glob("*.txt"):
        if old.stem not in drawn:
            old.unlink()
    for name, picture in drawn.items():
        (GOLDENS / f"{name}.txt").write_text(picture + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
