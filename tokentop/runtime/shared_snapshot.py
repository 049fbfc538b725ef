"""The latest snapshot of whoever polls on this machine, for this user's other views.

A program that stays leaves it in the user's runtime directory, and `--compact`, `--json` and
`--check` answer from it instead of polling. It is ignored where its writer has ended, where it is
older than the interval, and where another configuration made it: a digest of that names the file.
"""

import os
from collections.abc import Mapping

from tokentop import __version__
from tokentop.config.schema import (
    Config,
    HistoryConfig,
    LedgerConfig,
    RecordingConfig,
    ServeConfig,
    UiConfig,
    secrets,
)
from tokentop.domain.snapshot import Snapshot
from tokentop.transport.procfs import started
from tokentop.transport.user_cache import digest, keep, prune, recall

PREFIX = "snapshot-"
LEFT_BEHIND_S = 86_400.0  # files of programs that ended are removed after so long


class Sharing:
    """Leaves this process's snapshots for others; `details` says whether they hold everything.

    `--compact --watch` reads less of the GPUs than the JSON shows, and leaves it apart.
    """

    def __init__(self, *, details: bool) -> None:
        self._details = details
        self._pid = os.getpid()
        self._started = started("/proc", self._pid)
        self._config: Config | None = None
        self._name = ""

    def leave(
        self, config: Config, encoded: dict[str, object], interval_s: float, now: float
    ) -> None:
        """Replace what was left before; `now` is the snapshot's moment, Unix seconds.

        Nothing is left where no reader could tell whether this process lives.
        """
        if config.demo.enabled or self._started is None:
            return
        if self._config is None:
            prune(PREFIX, now - LEFT_BEHIND_S)
        if config is not self._config:
            self._config, self._name = config, _name(config, details=self._details)
        value = {
            "pid": self._pid,
            "started": self._started,
            "until": now + interval_s,
            "snapshot": encoded,
        }
        keep(self._name, value, now)


def recall_shared(config: Config, now: float, *, details: bool) -> Snapshot | None:
    """What another process of this user has just read, its age added; None where it must be polled.

    With `details` only a snapshot that holds everything will do.
    """
    if config.demo.enabled:
        return None
    names = [_name(config, details=every) for every in ((True,) if details else (True, False))]
    kept = (_live(recall(name, config.interval_s, now), now) for name in names)
    return next((snapshot for snapshot in kept if snapshot is not None), None)


def _live(value: object, now: float) -> Snapshot | None:
    """The snapshot, where its writer still runs and its own interval is not over."""
    if not isinstance(value, Mapping):
        return None
    pid, until = value.get("pid"), value.get("until")
    if not isinstance(pid, int) or pid == os.getpid() or not isinstance(until, float):
        return None
    if now > until or value.get("started") != started("/proc", pid):
        return None
    from tokentop.domain.snapshot_decode import decode

    snapshot = decode(value.get("snapshot"))
    return None if snapshot is None else _aged(snapshot, now - until + snapshot.interval_s)


def _aged(snapshot: Snapshot, passed_s: float) -> Snapshot:
    age = snapshot.data_age_s
    return snapshot._replace(data_age_s=None if age is None else age + max(0.0, passed_s))


def _name(config: Config, *, details: bool) -> str:
    """One for each configuration, but for what no figure depends on."""
    made_from = config._replace(
        ui=UiConfig(),
        history=HistoryConfig(),
        ledger=LedgerConfig(),
        serve=ServeConfig(),
        recording=RecordingConfig(),
        origins=(),
        file=None,
        warnings=(),
    )
    tokens = [token.reveal() for token in secrets(config)]
    return PREFIX + digest((__version__, details, made_from, tokens))
