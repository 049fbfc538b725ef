"""What is in the spool sent to `tokentop serve`, again and again until it is acknowledged."""

import json
import logging
import os
import threading
import time
from contextlib import suppress

import httpx

from tokentop.gateway.settings import Settings
from tokentop.gateway.spool import Spool
from tokentop.light_typing import Any

EVERY_S = 1.0  # between two looks at the spool
MAX_WAIT_S = 60.0  # between two attempts while the ledger is away
SEND_S = 30.0
AT_ONCE = 200  # records of one request
_JSON = {"content-type": "application/json"}
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
                batches = (records[at : at + AT_ONCE] for at in range(0, len(records), AT_ONCE))
                try:
                    refused = [each for batch in batches for each in self._send(web, batch)]
                except _NotNow as failed:
                    files.close()  # lets its lock go
                    return self._again_after(failed.answer, waited_s)
                self._failure = None if not refused else self._failure
                self._spool.done(path, refused)
        return 0.0

    def _send(self, web: httpx.Client, records: list[Any]) -> list[Any]:
        """Send records; returns those that will never be taken, raises _NotNow.

        Where some of several are refused each half is sent again, until it is known which: those
        that were taken count once.
        """
        try:  # httpx refuses NaN and halves of characters, which would stop all that follow
            answer = web.post(self._url, content=json.dumps(records), headers=_JSON)
        except httpx.HTTPError:
            raise _NotNow(None) from None
        if answer.status_code >= 300 and answer.status_code not in _NEVER:
            raise _NotNow(answer)
        if (count := _refused(answer)) == 0:
            return []
        if len(records) == 1 or count == len(records):
            self._say(f"{self._url} refuses records for good: {answer.text[:200]!a}")
            return records
        half = len(records) // 2
        return self._send(web, records[:half]) + self._send(web, records[half:])

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


class _NotNow(Exception):
    """Records that have to be sent again later; `answer` is None where there was none."""

    def __init__(self, answer: httpx.Response | None) -> None:
        super().__init__()
        self.answer = answer


def _refused(answer: httpx.Response) -> int | None:
    """How many records of a batch were refused; None where they were, and no number is given."""
    with suppress(ValueError, AttributeError):
        found = answer.json().get("refused")
        if isinstance(found, int):
            return found
    return None if answer.status_code in _NEVER else 0


def headers(settings: Settings) -> dict[str, str]:
    """The token, where there is one."""
    return {} if settings.token is None else {"authorization": f"Bearer {settings.token.reveal()}"}
