"""One answer of the query API as rows or points, or why it is none, in words with the mend."""

from contextlib import suppress

from tokentop.domain.readings import Failure
from tokentop.domain.text import clean_name
from tokentop.light_typing import Any
from tokentop.sources.engines.protocol import Answer, is_html
from tokentop.sources.json_fields import BadData, load
from tokentop.sources.metrics_page import is_measurement

Row = tuple[dict[str, str], float, float]  # labels, value, when it was evaluated (Unix seconds)

WEB_PAGE = (
    "answers with a web page: name the API's own address in prometheus.url"
    " (for Grafana, its /api/datasources/proxy/uid/… address)"
)
NO_PATH = (
    "has no /api/v1/query there (404): put the server's path prefix, such as /prometheus,"
    " into prometheus.url"
)
REFUSED = "refused a query ({}): it may be older than Prometheus 2.26, or of another kind"
ODD_LABELS = "{} rows of the server's answers are left out: a label in them is no text"
BUSY = "could not finish a query in time (503): it is busy, or the fleet is too large for it"


def rows(answer: Answer | Failure) -> tuple[list[Row], tuple[str, ...]]:
    """The rows and the server's warnings; raises BadData for anything but a vector.

    A row's value may be NaN, infinite or negative. Rows without readable labels are left out, and
    the warnings name their number.
    """
    document, found = _result(answer, "vector")
    good, odd = _read(found)
    warnings = _warnings(document)
    return good, (*warnings, ODD_LABELS.format(odd)) if odd else warnings


def series(answer: Answer | Failure) -> list[tuple[float, float]]:
    """The points of a range query that has one series: (Unix second, value), NaN included.

    Raises BadData for anything but a matrix. A point that is none is left out.
    """
    _, found = _result(answer, "matrix")
    points: list[tuple[float, float]] = []
    for item in found[:1]:
        values = item.get("values") if isinstance(item, dict) else None
        for pair in values if isinstance(values, list) else ():
            with suppress(TypeError, ValueError):
                at, text = pair
                points.append((float(at), float(text)))
    return points


def _result(answer: Answer | Failure, kind: str) -> tuple[dict[str, Any], list[Any]]:
    """The whole document, and its result of this type."""
    if isinstance(answer, Failure):
        raise BadData(answer.text)
    if is_html(answer):
        raise BadData(f"the server {WEB_PAGE}")
    document = load(answer.body)
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        raise BadData("the server does not speak Prometheus' query API")
    if document["status"] == "error":
        raise BadData(f"the server refused a query: {_sentence(document.get('error'))}")
    data = document.get("data")
    found = data.get("result") if isinstance(data, dict) else None
    if not isinstance(found, list) or data is None or data.get("resultType") != kind:
        raise BadData(f"the server answered a query with something other than a {kind}")
    return document, found


def measured(rows: list[Row]) -> list[Row]:
    """Those whose value is a measurement; what the others would say is unknown, not 0."""
    return [row for row in rows if is_measurement(row[1])]


def advise(failure: Failure) -> Failure:
    """The failure in words for a query; others keep theirs."""
    known = {404: NO_PATH, 503: BUSY, 400: REFUSED.format(400), 422: REFUSED.format(422)}
    text = known.get(failure.status or 0)
    return failure if text is None else failure._replace(text=f"the server {text}")


def _read(found: list[Any]) -> tuple[list[Row], int]:
    """The rows, and how many have a label that is no text.

    Written for speed: a thousand engines are tens of thousands of rows.
    """
    good: list[Row] = []
    odd = 0
    for item in found:
        try:
            labels, (at, text) = item["metric"], item["value"]
            value = float(text)
            texts = {str}.issuperset(map(type, labels.values()))
        except (TypeError, KeyError, ValueError, AttributeError):
            continue
        if not texts:
            odd += 1
        elif type(at) in (float, int):
            good.append((labels, value, at))
    return good, odd


def _warnings(document: dict[str, Any]) -> tuple[str, ...]:
    """Such as Thanos' when one of its stores did not answer: the figures are then partial."""
    listed = document.get("warnings")
    texts = [t for t in listed if isinstance(t, str)] if isinstance(listed, list) else []
    return tuple(clean_name(text, 160) for text in texts[:3])


def _sentence(error: object) -> str:
    text = clean_name(error, 160) if isinstance(error, str) else ""
    return text if text.strip() else "it gives no reason"
