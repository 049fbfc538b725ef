"""SVG screenshots that look the same in every viewer, and load nothing.

Rich places a whole run of text at one x and leaves the gaps within it to no-break spaces, which
librsvg (and with it most file managers and converters) drops at the start of a run. Here each word
group gets its own x instead. Rich also links fonts of a content delivery network, which would learn
of everyone who opens a screenshot; the installed ones are used instead.
"""

import errno
import os
import re

from tokentop.domain.text import cell_width

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CELL = 12.2  # Rich's width of one cell in SVG units
_TEXT = re.compile(r'<text ([^>]*?)x="([0-9.]+)"([^>]*?)textLength="[0-9.]+"([^>]*)>([^<]*)</text>')
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")
_GROUP = re.compile(r"(?:(?!\xa0\xa0).)*[^\xa0]")
_ENTITY = re.compile(r"&(#?)(\w+);")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"'}


def portable(svg: str) -> str:
    """The same picture without linked fonts, and without gaps in any run of text."""
    return _TEXT.sub(_split, _FONT_FACE.sub("", svg))


def save(path: str, svg: str) -> str:
    """Write a new file that only this user may read, and return its path; raises OSError.

    Whatever bears the name already, a link that another user planted among them, is left alone:
    the next free one of ten names is taken.
    """
    stem, extension = os.path.splitext(path)
    for name in (path, *(f"{stem}-{number}{extension}" for number in range(2, 11))):
        try:
            descriptor = os.open(name, _NEW_FILE, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(svg)
        return name
    raise FileExistsError(errno.EEXIST, "ten files bear that name already")


def _split(run: re.Match[str]) -> str:
    before, x, between, after, content = run.groups()
    text = _ENTITY.sub(_plain, content)
    pieces = []
    for group in _GROUP.finditer(text):
        words = group[0].lstrip("\xa0")
        left = float(x) + _CELL * cell_width(text[: group.end() - len(words)])
        length = _CELL * cell_width(words)
        pieces.append(
            f'<text {before}x="{left:g}"{between}textLength="{length:g}"{after}>'
            f"{_escaped(words)}</text>"
        )
    return "".join(pieces)


def _plain(entity: re.Match[str]) -> str:
    numeric, name = entity.groups()
    if numeric:
        return chr(int(name[1:], 16) if name[0] in "xX" else int(name))
    return _NAMED.get(name, entity[0])


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\xa0", "&#160;")


def save_here(name: str, picture: str) -> str:
    """Save the picture in the working directory; what to report about it."""
    try:
        return f"Saved {save(os.path.join(os.getcwd(), name), picture)}"
    except OSError as error:
        return f"The screenshot could not be saved: {error.strerror or error}"
