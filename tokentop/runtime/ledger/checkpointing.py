"""Checkpoints: what was booked since the last one is verified and signed, and the notes sent."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from tokentop import fault
from tokentop.config.schema import LedgerConfig
from tokentop.domain.ledger.note import Checkpoint, as_line, signed, text_of
from tokentop.domain.readings import Failure
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.verify import ORIGIN, verify_new
from tokentop.transport.http.client_blocking import Request, fetch
from tokentop.transport.ledger.database import Database, LedgerError
from tokentop.transport.ledger.signing import Key, read_key
from tokentop.transport.ledger.trees import keep

TIMEOUT_S = 10.0  # of the webhook
AGAIN_S = 300.0  # until the first, and after one that failed
_ANSWER = 64 * 1024
_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)


def make(config: LedgerConfig, environ: Mapping[str, str]) -> list[str]:
    """A signed note for each chain of the ledger; raises LedgerError."""
    db = place.opened(config, environ)
    try:
        name = ORIGIN + place.writer_name(config)
        return sign(db, read_key(place.key_path(config, environ), name))
    finally:
        db.close()


def sign(db: Database, key: Key) -> list[str]:
    """Sign size and root of each chain. Where anything is wrong nothing is: raises LedgerError."""
    found = verify_new(db)
    if found.faults or not found.chains:
        raise LedgerError(f"nothing is signed: {(*found.faults, 'the ledger is empty')[0]}")
    notes = []
    for chain in found.chains:
        text = text_of(Checkpoint(ORIGIN + chain.writer, chain.size, chain.root))
        notes.append(signed(text, key.sign(text.encode())))
    keep(db, {chain.writer: chain.tree for chain in found.chains})
    return notes


def send(notes: Sequence[str], config: LedgerConfig) -> Iterator[str]:
    """Add notes to the configured file, post them to the webhook; yields why either failed."""
    text = "\n".join(notes)
    if config.checkpoint_file is not None:
        try:
            _add(config.checkpoint_file, text)
        except OSError as error:
            yield f"the checkpoint is not in {config.checkpoint_file} ({error.strerror})"
    if config.webhook is not None:
        answer = fetch(
            Request(config.webhook.reveal(), TIMEOUT_S, _ANSWER, max_hops=0, headers=_TEXT,
                    post=text.encode())
        )  # fmt: skip
        if isinstance(answer, Failure):
            yield f"the checkpoint was not posted to the webhook ({answer.text})"


def _add(path: str, text: str) -> None:
    """On the disk when it returns."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())


class Checkpoints:
    """Makes them while serving, on a thread of its own; `say` gets each as a line of the log."""

    def __init__(
        self, config: LedgerConfig, environ: Mapping[str, str], say: Callable[[str], object]
    ) -> None:
        self._config, self._environ, self._say = config, environ, say
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        often_s = self._config.checkpoint_hours * 3600
        pause_s = min(often_s, AGAIN_S)  # a service that is often restarted makes them too
        while not self._stopped.wait(pause_s):
            try:
                pause_s = often_s if self.once() else min(often_s, AGAIN_S)
            except Exception as error:  # noqa: BLE001  # the next one must still be made
                self._say(fault.sentence(error))

    def once(self) -> bool:
        """Make a checkpoint; whether it reached all of its places."""
        try:
            notes = make(self._config, self._environ)
        except LedgerError as error:
            self._say(f"no checkpoint: {error}")
            return False
        for note in notes:
            self._say(f"checkpoint {as_line(note)}")
        failures = list(send(notes, self._config))
        for failure in failures:
            self._say(failure)
        return not failures
