"""The ledger followed on a thread of its own, so that neither a screen nor a decision waits."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from time import monotonic, time_ns

from tokentop import fault
from tokentop.config.schema import Config
from tokentop.domain.budgets.authority import Asker, Refusal
from tokentop.domain.budgets.decision import Outcome
from tokentop.domain.policy import BudgetRule
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.light_typing import Literal, cast
from tokentop.runtime.ledger import place
from tokentop.runtime.ledger.accounts import Accounts, Part
from tokentop.runtime.ledger.deciding import book, decide
from tokentop.runtime.ledger.reconciling import Reconciling
from tokentop.runtime.ledger.watch import Watch
from tokentop.runtime.ledger.zone import zone
from tokentop.transport.ledger.database import Database, LedgerError

EVERY_S = 1.0  # between two looks at the ledger
UNREADABLE_S = 15.0  # sums that are older decide nothing
LEAVE_S = 0.2


class Follower:
    """Accounts that are kept up to date from `start` to `stop`.

    `config` is the configuration in force: changed budgets take effect with the next look.
    With `learns` it knows which flagged tasks still run. `on_change` is called on the follower's
    thread after a look at a ledger that has changed, once an interval at most.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        environ: Mapping[str, str],
        on_change: Callable[[], object] = int,
        parts: Sequence[Part] = (),
        *,
        learns: bool = True,
    ) -> None:
        self._config = config
        self._environ = environ
        self._on_change = on_change
        self.watch = Watch(config().policy, learns=learns)
        rules, zone = self._rules()
        parts = (self.watch, Reconciling(zone), *parts)
        self.accounts = Accounts(self._open, rules, zone, parts)
        self._wake = threading.Event()
        self._looked = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="budgets", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look(self) -> None:
        """Look at the ledger now, on the follower's thread."""
        self._wake.set()

    def wait(self, timeout_s: float) -> None:
        """Wait for the first look, so long at most."""
        self._looked.wait(timeout_s)

    def stop(self) -> None:
        """Look no more, and let go of the ledger."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(LEAVE_S)

    def figures(self, wall: float) -> LedgerFigures | None:
        """The ledger at a moment, Unix seconds; None where there is none yet, and no budget."""
        now_us = int(wall * 1e6)
        found = self.accounts.figures(now_us)
        if found.age_s is None and not self._config().budgets:
            return None
        return found._replace(decides=self.decides(now_us))

    def decides(self, now_us: int) -> Literal["open", "closed"] | None:
        """What holds where no decision can be made; None where it can."""
        if self.accounts.readable(now_us, UNREADABLE_S):
            return None
        return cast(Literal["open", "closed"], self._config().authorize.failure_mode)

    def refusal(self, asker: Asker, now_us: int) -> Refusal | None:
        """Why a request may not be made at this moment; None where it may."""
        decides = self.decides(now_us)
        if decides is None:
            return self.accounts.refusal(asker, now_us)
        text = "the ledger cannot be read, and authorize.failure_mode is closed"
        return Refusal("undecided", text) if decides == "closed" else None

    def decide(self, project: str, outcome: Outcome) -> str:
        """Stop a project, or let it go on; returns what has happened, as a sentence.

        Blocks while the ledger is written to. Raises LedgerError.
        """
        text = decide(self._config(), self._environ, project, outcome, time_ns() // 1000)
        self.look()
        return text

    def _run(self) -> None:
        shown: tuple[object, ...] = ()
        due = 0.0
        while not self._stopping:
            try:
                self.accounts.configure(*self._rules())
                self.watch.configure(self._config().policy, self._config().budgets)
                self.accounts.follow(time_ns() // 1000)
                self._book_due(time_ns() // 1000)
            except Exception as error:  # noqa: BLE001  # the next look may do
                self.accounts.fail(fault.sentence(error))
            self._looked.set()
            if self.accounts.state != shown and monotonic() >= due:
                shown, due = self.accounts.state, monotonic() + self._config().interval_s
                self._on_change()
            self._wake.wait(EVERY_S)
            self._wake.clear()
        self.accounts.close()

    def _book_due(self, now_us: int) -> None:
        """Book what the watch has raised; where the ledger cannot, with the next look."""
        found = self.watch.due(self.accounts.figures(now_us), now_us)
        try:
            if found:
                book(self._config().ledger, self._environ, found, now_us)
        except LedgerError:
            self.watch.keep(found)
            raise

    def _rules(self) -> tuple[Sequence[BudgetRule], tzinfo]:
        config = self._config()
        return config.budgets, zone(config.ledger, self._environ)

    def _open(self) -> Database:
        return place.opened(self._config().ledger, self._environ)
