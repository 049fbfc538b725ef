"""A private CA made for the test run, and server contexts that are right or wrong under it."""

import datetime
import functools
import ssl
from pathlib import Path

import trustme

_PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


class PrivateCa:
    """`good` and `wrong_host` are current, `expired` ended in 2020."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self.good = self._context("127.0.0.1", "localhost", "::1")
        self.wrong_host = self._context("elsewhere.example")
        self.expired = self._context("127.0.0.1", not_after=_PAST)

    def bundle(self, folder: Path) -> str:
        """Write the CA's certificate under `folder`; its path, as `ca_bundle` wants it."""
        path = folder / "private-ca.pem"
        self._ca.cert_pem.write_to_path(str(path))
        return str(path)

    def _context(self, *names: str, not_after: datetime.datetime | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names, not_after=not_after).configure_cert(context)
        return context


@functools.cache
def private_ca() -> PrivateCa:
    """One CA a test run: making keys takes its time."""
    return PrivateCa()
