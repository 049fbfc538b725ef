"""An export's items with all attributes that hold for them, whichever encoding it came in."""

from collections.abc import Iterator, Mapping

from tokentop.named_tuple import NamedTuple
from tokentop.sources.json_fields import Fields
from tokentop.sources.usage.allowance import Allowance, at_most
from tokentop.sources.usage.bodies import document
from tokentop.sources.usage.fields import Unreadable
from tokentop.sources.usage.otlp.wire import Schema, decode

MICROSECOND = 1000  # in nanoseconds


class Record(NamedTuple):
    """A span, a log record or a data point; `name` is the span's or the metric's.

    `values` are its attributes and those of the resource by key in lower case, its own first.
    """

    scope: str
    name: str
    item: Mapping[str, object]
    values: Mapping[str, object]

    @property
    def attributes(self) -> Fields:
        return Fields(self.values)

    def within(self, item: Mapping[str, object]) -> "Record":
        """A part of this one, like a metric's data point."""
        return self._replace(item=item, values={**self.values, **attributes(item)})

    def at_us(self, *names: str) -> int | None:
        """The first of these times that is set, as Unix microseconds."""
        fields = Fields(self.item)
        times = (fields.raw(name) for name in names)
        found = (nanoseconds(time) for time in times)
        return next((time // MICROSECOND for time in found if time), None)


def export(body: bytes, schema: Schema) -> Mapping[str, object]:
    """The request in a body, JSON or protobuf by its first byte; an empty body is an empty one.

    Senders call protobuf JSON and JSON protobuf, so their Content-Type is not believed. Raises
    Unreadable.
    """
    if body[:1] == b"\n" or body.lstrip(b"\xef\xbb\xbf \t\r")[:1] != b"{":  # \n is field 1
        return decode(memoryview(body), schema, Allowance())
    found = document(body)
    if not isinstance(found, dict):
        raise Unreadable("the body is no object")
    return found


def items(request: Mapping[str, object], name: str, owner: str) -> Iterator[Record]:
    """Every item called `name` (spans) in the request, below `owner` (Spans); raises TooLarge."""
    return at_most(_items(request, name, owner))


def _items(request: Mapping[str, object], name: str, owner: str) -> Iterator[Record]:
    allowance = Allowance()  # each record repeats what its resource has
    for resource in objects(request, f"resource{owner}"):
        shared = attributes(_inner(resource, "resource"))
        for scope in objects(resource, f"scope{owner}"):
            scope_name = Fields(_inner(scope, "scope")).text("name") or ""
            for item in objects(scope, name):
                name_of_it = Fields(item).text("name") or ""
                allowance.take(len(shared))
                yield Record(scope_name, name_of_it, item, {**shared, **attributes(item)})


def attributes(item: Mapping[str, object]) -> dict[str, object]:
    """Attributes by their key in lower case; those without a value are missing."""
    found: dict[str, object] = {}
    for each in objects(item, "attributes"):
        value = _value(_inner(each, "value"))
        if value is not None:
            found[str(each.get("key")).lower()] = value
    return found


def _value(value: Mapping[str, object]) -> object:
    if "arrayValue" in value:
        return [_value(each) for each in objects(_inner(value, "arrayValue"), "values")]
    return next((value[name] for name in _VALUES if value.get(name) is not None), None)


_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue")


def objects(item: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    """The objects in a list; whatever else stands there is skipped."""
    found = item.get(name)
    for each in found if isinstance(found, list) else ():
        if isinstance(each, dict):
            yield each


def _inner(item: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def nanoseconds(value: object) -> int | None:
    """A time of OTLP: a number, or the same in text, exactly; None where it is none, or 0."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
