"""The parts of OTLP's messages that usage is read from, with the numbers of their fields.

https://github.com/open-telemetry/opentelemetry-proto, release 1.9.
"""

from tokentop.sources.usage.otlp.wire import (
    Schema,
    boolean,
    fixed,
    identity,
    message,
    number,
    text,
)

_SINGLE: Schema = {
    1: text("stringValue"),
    2: boolean("boolValue"),
    3: number("intValue"),
    4: fixed("doubleValue", "d"),
}
# Lists of lists are not needed, and a list inside of a list without end would be.
_ANY: Schema = {**_SINGLE, 5: message("arrayValue", {1: message("values", _SINGLE, many=True)})}
_KEY_VALUE: Schema = {1: text("key"), 2: message("value", _ANY)}
_RESOURCE: Schema = {1: message("attributes", _KEY_VALUE, many=True)}
_SCOPE: Schema = {1: text("name")}

_SPAN: Schema = {
    1: identity("traceId"),
    2: identity("spanId"),
    4: identity("parentSpanId"),
    5: text("name"),
    7: fixed("startTimeUnixNano", "Q"),
    8: fixed("endTimeUnixNano", "Q"),
    9: message("attributes", _KEY_VALUE, many=True),
    15: message("status", {3: number("code")}),
}
_LOG: Schema = {
    1: fixed("timeUnixNano", "Q"),
    6: message("attributes", _KEY_VALUE, many=True),
    9: identity("traceId"),
    10: identity("spanId"),
    11: fixed("observedTimeUnixNano", "Q"),
}
_POINT: Schema = {
    2: fixed("startTimeUnixNano", "Q"),
    3: fixed("timeUnixNano", "Q"),
    4: fixed("asDouble", "d"),
    6: fixed("asInt", "q"),
    7: message("attributes", _KEY_VALUE, many=True),
}
_SUM: Schema = {1: message("dataPoints", _POINT, many=True), 2: number("aggregationTemporality")}
_METRIC: Schema = {1: text("name"), 7: message("sum", _SUM)}


def _export(name: str, item: Schema) -> Schema:
    """Resources with scopes with items, which all three exports are."""
    kind = name[0].upper() + name[1:]
    owner = {"Spans": "Spans", "LogRecords": "Logs", "Metrics": "Metrics"}[kind]
    scope = {1: message("scope", _SCOPE), 2: message(name, item, many=True)}
    resource = {
        1: message("resource", _RESOURCE),
        2: message(f"scope{owner}", scope, many=True),
    }
    return {1: message(f"resource{owner}", resource, many=True)}


TRACES = _export("spans", _SPAN)
LOGS = _export("logRecords", _LOG)
METRICS = _export("metrics", _METRIC)
