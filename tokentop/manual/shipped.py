"""The files in tokentop/share/, which `tokentop example NAME` prints."""

from importlib.resources import files

# A name is a path below tokentop/share/.
SHIPPED: dict[str, str] = {
    "Containerfile.screen": "an image for the full screen and the text views",
    "tokentop.1": "this program's manual page",
    "tokentop-watch.service": "a systemd user unit that logs one JSON object an interval",
}


def listing() -> str:
    """Every name with what it is, a line each."""
    width = max(map(len, SHIPPED))
    return "\n".join(f"{name:<{width}}  {what}" for name, what in sorted(SHIPPED.items()))


def contents(name: str) -> str:
    """The file as it was shipped; raises KeyError where there is none of that name."""
    if name not in SHIPPED:
        raise KeyError(name)
    return files("tokentop").joinpath("share", *name.split("/")).read_text(encoding="utf-8")
