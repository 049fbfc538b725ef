"""What the words on the screen mean: one table, for the second page of help and for README."""

from tokentop.named_tuple import NamedTuple


class Term(NamedTuple):
    """A word and its meaning in one sentence."""

    word: str
    meaning: str


GLOSSARY: dict[str, tuple[Term, ...]] = {
    "How full": (
        Term("demand", "how full what serves is, 0-100 %; the tier and the multiplier follow it"),
        Term("util", "how much of the time a GPU was working; says nothing about room"),
        Term("tier", "demand in a word: idle, low, moderate, high, surge, full"),
        Term("slot", "room for one request that runs: it is active or free"),
        Term("queued", "requests that wait for a slot"),
        Term("beyond", "of these, the ones that would still wait if every free slot took one"),
        Term("KV cache", "memory of the running requests; when it is full, requests wait"),
        Term("back-pressure", "a service asks its clients to send less"),
        Term("ACTA", "the stack's own meter; where it answers, its demand and multiplier hold"),
    ),
    "What it costs": (
        Term("tokens", "what a model reads (prompt) and writes (generation)"),
        Term(
            "credits, cr",
            "what the stack's requests are paid in (Mint issues them); the ledger's value of one",
        ),
        Term("multiplier", "how many times its base cost a request costs at this demand"),
        Term("mint", "credits in its pool, issued in all (supply), held by users (circulating)"),
        Term("Mtok", "a million generated tokens; priced in US dollars by [cost]"),
        Term("silent burn", "the share of requests that broke off after tokens were made"),
        Term("capacity", "how near demand is to the next instance, and what that would cost"),
    ),
    "Who spends": (
        Term("ledger", "every request that was reported: who, which model, how much; append-only"),
        Term("budget", "what a user, project or team may spend in a day, week, month or in all"),
        Term("to zero", "how long a budget lasts at its present burn; ∞ where nothing burns"),
        Term("burn", "how fast a budget is spent now"),
        Term("left at end", "what would be left of a budget when its period ends; below 0: short"),
        Term("reserve", "the part of a team's budget that is kept for trying things out"),
        Term("velocity", "US dollars of reported business value per credit ($/cr)"),
        Term("flag", "a task beyond three times what its like cost, or projects beyond a limit"),
        Term("to classify", "flags that people have to judge before the detector may be tuned"),
        Term("list price", "what the provider's price list charges, in US dollars"),
        Term("unattributed", "tokens that engines made today and no entry claims"),
        Term("overclaimed", "tokens that entries of today claim beyond what engines made"),
        Term("throttled", "a budget slows its requests down"),
        Term("stopped", "requests are refused, by a person or by a budget"),
    ),
    "States": (
        Term("online", "answers, and its figures are fresh"),
        Term("starting", "loads its model"),
        Term("asleep", "has put its model away until the next request; not woken"),
        Term("stale", "silent now; its last figures are shown with their age"),
        Term("backing-off", "failed three times in a minute; polled again in a few seconds"),
        Term("offline", "nothing answers there"),
        Term("down", "nothing answers where something should"),
        Term("degraded", "may serve, but cannot be seen: stale, no statistics, a missing key"),
        Term("off", "not configured, and never seen"),
        Term("gone", "was found here and has vanished; d forgets it"),
        Term("bad-data", "answers with figures that make no sense"),
        Term("auth-required", "wants a key"),
        Term("no-metrics", "serves, with its statistics switched off"),
        Term("names-only", "lists its models, and has no figures"),
        Term("lost", "a GPU that the driver cannot reach; it is in no sum"),
        Term("suspended", "a GPU asleep to save power; not woken"),
    ),
    "Signs": (
        Term("—", "unknown: the source does not report it"),
        Term("≥ ≤ ≈", "at least, at most, about"),
        Term("TTFT, ITL", "time to the first token, and between tokens"),
        Term("p95", "nineteen of twenty are at most this"),
    ),
}


def markdown() -> str:
    """README's table."""
    terms = [term for group in GLOSSARY.values() for term in group]
    rows = [f"| {term.word} | {term.meaning} |" for term in terms]
    return "\n".join(["| word | means |", "|---|---|", *rows])
