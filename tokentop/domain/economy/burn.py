"""Silent burn: the share of recent work that ended in abort, error or at the length limit."""

from collections.abc import Sequence

from tokentop.domain.engines.readings import Counters
from tokentop.domain.numbers import ratio, total


def burn(windows: Sequence[Counters]) -> float | None:
    """The burned share 0-1 over all windows together; None where none reports what ended.

    By tokens where every engine counts those of requests that ended badly, else by requests,
    which is an estimate: a request cut at the length limit holds more tokens than most.
    """
    if windows and all(w.burned_tokens is not None for w in windows):
        return _share([(w.burned_tokens, w.generation_tokens) for w in windows])
    return _share([(_burned_requests(w), _ended(w)) for w in windows])


def _share(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    known = [(part, whole) for part, whole in pairs if part is not None and whole is not None]
    share = ratio(sum(part for part, _ in known), sum(whole for _, whole in known))
    return None if share is None else min(1.0, share)


def _burned_requests(window: Counters) -> float | None:
    return total((window.length, window.abort, window.error))


def _ended(window: Counters) -> float | None:
    """Requests that ended, by any reason: some end for reasons that have no counter of ours."""
    reasons = total((window.stop, window.length, window.abort, window.error))
    if window.stop is None:
        return window.requests
    return max(reasons or 0.0, window.requests or 0.0)
