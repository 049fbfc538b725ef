"""asyncio as it is where Python has no ssl module: nothing on the screen's loop speaks TLS.

To load OpenSSL would be a thirtieth of the time to the first picture. Connections to https URLs
load it themselves (transport/http/tls.py).
"""

import sys


def load_asyncio() -> None:
    """Import asyncio before Textual does; nothing where one of the two modules is loaded."""
    if "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]  # an import of it fails as if it lacked
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]
