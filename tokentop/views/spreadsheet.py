"""Cells of CSV as a spreadsheet reads them."""

from tokentop.sources.json_fields import as_number

_FORMULA = frozenset("=+-@＝＋－＠")  # the wide ones where a spreadsheet is Japanese


def cell(value: object) -> object:
    """The value; a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    risky = isinstance(value, str) and value[:1] in _FORMULA
    return f"'{value}" if risky and as_number(value) is None else value
