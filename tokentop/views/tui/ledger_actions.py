"""The actions of the ledger's views: reading entries, stopping a project, classifying a flag."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from tokentop.domain.ledger.listing import Page, Question, exactly, extended
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_ledger import Classification, Project
from tokentop.views.tui import navigation, theme
from tokentop.views.tui.draw.kit.line import Line
from tokentop.views.tui.history_actions import HistoryActions

KEPT = 10_000  # entries that are held for scrolling
_OF_ONE = 500  # entries that a project's page is made of
_AHEAD = 50  # rows before the last one read at which older ones are read
Asked = tuple[Question, int]  # a question, and how many entries the ledger had
_CLASSES: dict[str, Classification] = {"f": "fine", "d": "defer", "h": "halt"}


class LedgerActions(HistoryActions):
    """What `x` and `f` do in the budgets, and the entries that are shown; the app has the rest."""

    _snapshot: Snapshot
    _page = Page()
    _asked: Asked | None = None  # what was read last

    # -- reading

    def _forget_page(self) -> None:
        """Read anew: another host's ledger is shown."""
        self._page, self._asked = Page(), None

    def _read_ledger(self) -> None:
        """Begin to read what the view shows and is not yet read; called whenever it is shown."""
        asked, before = self._wanted_entries(), self._asked
        same = asked is not None and before is not None and asked[0].wanted == before[0].wanted
        if asked is None or asked == before or (same and self.view.paused_at is not None):
            return
        if not same:
            self._page = Page(asked[0].wanted)
        self._asked = asked
        load = self._load_page(asked[0])
        self.run_worker(load, name="read the ledger", group="ledger", exclusive=True)

    def _wanted_entries(self) -> Asked | None:
        """What the view wants to know of the ledger, and as of how many entries."""
        figures = self._snapshot.ledger
        entries = figures.entries if figures else 0
        if self.view.name == "ledger":
            return self._wanted_of_list(entries)
        row = navigation.selected_budget(self.model()) if self.view.opened is not None else None
        if row is None:
            return None
        return Question(exactly(row.scope, row.who), limit=_OF_ONE), entries

    def _wanted_of_list(self, entries: int) -> Asked | None:
        """The newest while the cursor is on the first, older ones while it is near the last."""
        view, page = self.view, self._page
        newest = Question(view.filter)
        if page.wanted != view.filter or not page.rows:
            return newest, entries
        from tokentop.views.tui.draw.panels.ledger.entries import place_of

        at = place_of(page, view.entry)
        if page.more and len(page.rows) - _AHEAD < at and len(page.rows) < KEPT:
            return newest._replace(before=page.rows[-1].entry.identity), 0
        return (newest, entries) if at == 0 and view.opened is None else self._asked

    async def _load_page(self, question: Question) -> None:
        found = await self.session.ledger.page(question)
        self._page = extended(self._page, found) if question.before else found
        self._show()

    # -- deciding

    async def action_end(self) -> None:
        """End a process, or stop a project: whichever is under the cursor."""
        if self.view.name == "budgets":
            await self._ask_to_stop()
        else:
            await self.action_end_process()

    async def _ask_to_stop(self) -> None:
        row = navigation.selected_budget(self.model())
        project = row.project if row else None
        if project is None:
            self._notify("x stops and resumes the project under the cursor; this is none")
            return
        from tokentop.views.tui.screens.spending import stop_question

        options = self.model().options
        draw = partial(stop_question, project, options=options)
        await self._ask(draw, {"y": partial(self._decide, self._stopped(project))})

    def _stopped(self, project: Project) -> Callable[[], Awaitable[str]]:
        return partial(self.session.ledger.decide, project.name, resume=project.stopped)

    async def action_classify(self) -> None:
        """Ask what the flag under the cursor was."""
        from tokentop.views.tui.draw.panels.ledger.budget_rows import pending

        row = navigation.selected_budget(self.model())
        flags = pending(row.flags) if row else ()
        if not flags:
            self._notify("f classifies a flag of the project under the cursor of the budgets (b)")
            return
        from tokentop.views.tui.screens.spending import class_question

        options, flag = self.model().options, flags[0]
        answers = {
            key: partial(
                self._decide, partial(self.session.ledger.classify, flag.id, classification)
            )
            for key, classification in _CLASSES.items()
        }
        await self._ask(partial(class_question, flag, options=options), answers)

    async def _ask(
        self, draw: Callable[[int], list[Line]], answers: Mapping[str, Callable[[], object]]
    ) -> None:
        from tokentop.views.tui.screens.confirm import ConfirmScreen
        from tokentop.views.tui.screens.overlay import open_overlay

        styles = theme.style_table(self._theme_name)
        await open_overlay(self, ConfirmScreen(draw, answers, styles))

    def _decide(self, act: Callable[[], Awaitable[str]]) -> None:
        """Carry it out beside the loop's other work, and say how it went."""
        self.run_worker(self._acted(act), name="decide", group="decide")

    async def _acted(self, act: Callable[[], Awaitable[str]]) -> None:
        self._notify(await act())
        self.session.refresh()
