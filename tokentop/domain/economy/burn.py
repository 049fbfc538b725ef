"""Silent burn: the share of recent requests whose tokens were made for nothing."""

from collections.abc import Sequence

from tokentop.domain.engines.readings import Counters
from tokentop.domain.numbers import ratio, total


def burn(windows: Sequence[Counters], *, counts_length: bool = False) -> float | None:
    """The burned share 0-1 over all windows together; None where nothing ended or nobody tells.

    Of all requests that ended, well or not; those that were refused before a token was made are
    not among them. An estimate: nobody tells how many tokens a request had. What was cut at the
    length limit is what was asked for, and burned only where `counts_length`.
    """
    pairs = [(_burned(w, counts_length=counts_length), _ended(w)) for w in windows]
    known = [(part, whole) for part, whole in pairs if part is not None and whole is not None]
    share = ratio(sum(part for part, _ in known), sum(whole for _, whole in known))
    return None if share is None else min(1.0, share)


def _burned(window: Counters, *, counts_length: bool) -> float | None:
    return total((window.abort, window.error, window.length if counts_length else None))


def _ended(window: Counters) -> float | None:
    """Requests that ended, by any reason: some end for reasons that have no counter of ours."""
    reasons = total((window.stop, window.length, window.abort, window.error))
    if window.requests is None:
        return None if window.stop is None else reasons
    return max(reasons or 0.0, window.requests)
