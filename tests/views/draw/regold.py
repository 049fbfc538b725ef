"""Draws every golden anew: `python -m tests.views.draw.regold`. Read the difference before
committing it."""

from pathlib import Path

from tests.views.draw.pictures import pictures

GOLDENS = Path(__file__).parent / "goldens"


def main() -> None:
    """Write them all; what is no longer drawn goes."""
    GOLDENS.mkdir(exist_ok=True)
    drawn = pictures()
    for old in GOLDENS.glob("*.txt"):
        if old.stem not in drawn:
            old.unlink()
    for name, draw in drawn.items():
        (GOLDENS / f"{name}.txt").write_text(draw() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
