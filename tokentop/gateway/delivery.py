"""What is in the spool sent to `tokentop serve`, again and again until it is acknowledged."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx

from tokentop.gateway.settings import Settings
from tokentop.gateway.spool import Spool

EVERY_S = 1.0  # between two looks at the spool
MAX_WAIT_S = 60.0  # between two attempts while the ledger is away
SEND_S = 30.0
AT_ONCE = 200  # records of one request
_NEVER = (400, 413, 415, 422)  # what is refused like this will not be taken later

log = logging.getLogger("tokentop.gateway")


class Delivery:
    """Sends on a thread of its own, one in each process that uses it."""

    def __init__(self, settings: Settings, spool: Spool, path: str) -> None:
        self._url = settings.url + path
        self._headers = headers(settings)
        self._spool = spool
        self._pid = 0
        self._wake = threading.Event()
        self._failure: str | None = None

    def start(self) -> None:
        """Begin to send, unless this process does already: a fork has no threads of its parent."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            threading.Thread(target=self._run, name="tokentop-delivery", daemon=True).start()

    def wake(self) -> None:
        """Look at the spool now."""
        self._wake.set()

    def _run(self) -> None:
        wait_s = 0.0
        with httpx.Client(timeout=SEND_S, headers=self._headers, trust_env=False) as web:
            while True:
                if wait_s:
                    time.sleep(wait_s)  # new records do not shorten it
                self._wake.wait(EVERY_S)
                self._wake.clear()
                wait_s = self._send_all(web, wait_s)

    def _send_all(self, web: httpx.Client, waited_s: float) -> float:
        """Send every file that can be; return how long to wait, 0 where all were taken."""
        files = self._spool.take()
        with suppress(OSError):
            for path, records in files:
                answer = self._send(web, records)
                if answer is None or (answer.status_code >= 300 and not _is_final(answer)):
                    files.close()  # lets its lock go
                    return self._again_after(answer, waited_s)
                if _is_final(answer):
                    self._say(f"{self._url} refused {path}: {answer.text[:200]!a}")
                    self._spool.refuse(path)
                else:
                    self._spool.done(path)
                    self._failure = None
        return 0.0

    def _send(self, web: httpx.Client, records: Sequence[Any]) -> httpx.Response | None:
        """The last answer, the first bad one; None where none came. No record is sent alone."""
        answer: httpx.Response | None = httpx.Response(200)
        for start in range(0, len(records), AT_ONCE):
            try:
                answer = web.post(self._url, json=records[start : start + AT_ONCE])
            except httpx.HTTPError:
                return None
            if answer.status_code >= 300:
                break
        return answer

    def _again_after(self, answer: httpx.Response | None, waited_s: float) -> float:
        reason = "no answer" if answer is None else f"{answer.status_code} {answer.text[:200]!a}"
        self._say(f"usage waits in the spool: {reason} of {self._url}")
        asked = "" if answer is None else answer.headers.get("retry-after", "")
        if asked.isascii() and asked.isdecimal():
            return min(float(asked), MAX_WAIT_S)
        return min(max(EVERY_S, 2 * waited_s), MAX_WAIT_S)

    def _say(self, text: str) -> None:
        if text != self._failure:
            log.warning(text)
        self._failure = text


def _is_final(answer: httpx.Response) -> bool:
    return answer.status_code in _NEVER


def headers(settings: Settings) -> dict[str, str]:
    """The token, where there is one."""
    return {} if settings.token is None else {"authorization": f"Bearer {settings.token.reveal()}"}
