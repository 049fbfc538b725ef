"""Draws every golden anew: `python -m tests.views.draw.regold`. Read the difference before
committing it."""

from pathlib import Path

from tests import engine_examples, examples
from tests.views.draw.composed import composed, model, text
from tokentop.config.schema import UiConfig
from tokentop.views.tui.state import ViewState

GOLDENS = Path(__file__).parent / "goldens"
SIZES = ((40, 12), (60, 20), (80, 24), (120, 40), (200, 60))

STATES = examples.STATES | engine_examples.STATES
YOUNG = ("first-paint", "empty")  # states without any history
ASCII = UiConfig(ascii=True)
HIDDEN = UiConfig(hide=("slots", "cloud", "metrics"))
# Name: state, what differs from the usual screen, sizes; drawn where they differ most.
VARIANTS = {
    "ascii": ("surge", {"ui": ASCII}, SIZES),
    "compact": ("surge", {"view": ViewState(compact=True)}, ((80, 24), (60, 8), (40, 12))),
    "badges": ("high", {"view": ViewState(paused_at=1.0), "insecure_tls": True},
               ((80, 24), (120, 40))),
    "filtering": ("64-gpus", {"view": ViewState(filter="GPU-0000001", filtering=True)},
                  ((80, 24),)),
    "sorted": ("troubled", {"view": ViewState(sort="util")}, ((80, 24), (120, 40))),
    "hidden": ("high", {"ui": HIDDEN}, ((80, 24), (120, 40))),
    "later": ("stale", {"elapsed_s": 200.0}, ((80, 24),)),
    "engines-ascii": ("engines", {"ui": ASCII}, ((120, 40),)),
    "engines-compact": ("priced", {"view": ViewState(compact=True)}, ((80, 12),)),
    "winding-down": ("idle", {"elapsed_s": 11.0}, ((60, 20),)),
}  # fmt: skip


def pictures() -> dict[str, str]:
    """Every golden's file name with what it should hold."""
    drawn = {}
    for state, build in STATES.items():
        scene = model(build(), history=() if state in YOUNG else None)
        drawn |= {f"{state}-{w}x{h}": text(composed(scene, w, h)) for w, h in SIZES}
    for name, (state, fields, sizes) in VARIANTS.items():
        scene = model(STATES[state]())._replace(**fields)
        drawn |= {f"{name}-{w}x{h}": text(composed(scene, w, h)) for w, h in sizes}
    return drawn


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
