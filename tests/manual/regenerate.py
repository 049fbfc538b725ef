"""`python -m tests.manual.regenerate`: the README's tables and the manual page, made anew.

They follow the tables in the code; the tests fail where they do not. Read the difference.
"""

import re
from pathlib import Path

from tokentop.manual.page import page
from tokentop.views.figures import FIELDS
from tokentop.views.glossary import markdown
from tokentop.views.tui.keys import KEYS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MANUAL = ROOT / "tokentop" / "share" / "tokentop.1"


def formats() -> str:
    """The names of --format as Markdown."""
    rows = [f"| `{name}` | {field.unit} | {field.means} |" for name, field in FIELDS.items()]
    return "\n".join(["| name | unit | what it is |", "|---|---|---|", *rows])


def keys() -> str:
    """The keys as Markdown, two beside each other."""
    shown = [(_code(key.shown), key.label) for key in KEYS if key.shown]
    half = (len(shown) + 1) // 2
    right = [*shown[half:], ("", "")][:half]
    rows = [
        f"| {a} | {what} | {b} | {other} |"
        for (a, what), (b, other) in zip(shown[:half], right, strict=True)
    ]
    return "\n".join(["| key | does | key | does |", "|---|---|---|---|", *rows])


def _code(shown: str) -> str:
    return " ".join(f"`{each}`" for each in shown.split())


TABLES = {"format": formats, "keys": keys, "glossary": markdown}


def readme(text: str) -> str:
    """The README with its tables made anew."""
    for name, table in TABLES.items():
        block = f"<!-- table: {name} -->\n{table()}\n<!-- end -->"
        pattern = rf"<!-- table: {name} -->\n.*?<!-- end -->"
        text, found = re.subn(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
        assert found == 1, f"README.md has no table {name}"
    return text


if __name__ == "__main__":
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    MANUAL.write_text(page(), encoding="utf-8")
