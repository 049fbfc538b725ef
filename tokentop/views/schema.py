"""The JSON Schema of `tokentop/1`, made from the snapshot's named tuples.

`python -m tokentop.views.schema` prints what is shipped as share/schema.json; a test compares.
"""

import json
import sys
from types import NoneType, UnionType
from typing import Union, get_origin  # noqa: TID251

from tokentop.domain.snapshot import AITHER_SERVICES, Snapshot
from tokentop.domain.snapshot_decode import field_types
from tokentop.domain.snapshot_json import SCHEMA
from tokentop.light_typing import Any, Literal, get_args

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def schema() -> dict[str, Any]:
    """The whole schema: every key is required, and further keys are allowed everywhere."""
    definitions: dict[str, Any] = {}
    whole = _object(Snapshot, definitions)
    whole["properties"] = {"schema": {"const": SCHEMA}, **whole["properties"]}
    whole["properties"]["at"]["format"] = "date-time"
    whole["properties"]["services_online"] = {
        "type": "object",
        "properties": {name: {"type": "boolean"} for name in AITHER_SERVICES},
        "required": list(AITHER_SERVICES),
        "additionalProperties": False,
    }
    whole["required"] = list(whole["properties"])
    title = {"$schema": DIALECT, "$id": "urn:tokentop:schema:1", "title": SCHEMA}
    return {**title, **whole, "$defs": dict(sorted(definitions.items()))}


def _object(row: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = field_types(row)
    properties = {name: _type(hints[name], definitions) for name in row._fields}  # type: ignore[attr-defined]
    return {
        "type": "object",
        "description": " ".join((row.__doc__ or "").split()),
        "properties": properties,
        "required": list(properties),
    }


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    origin = get_origin(hint)
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin in (Union, UnionType):
        return _union([_type(one, definitions) for one in get_args(hint)])
    if origin is tuple:
        return {"type": "array", "items": _type(get_args(hint)[0], definitions)}
    return _reference(hint, definitions)


def _union(choices: list[dict[str, Any]]) -> dict[str, Any]:
    types = [choice.get("type") for choice in choices]
    if all(set(choice) == {"type"} for choice in choices):
        return {"type": types}
    if all(set(choice) <= {"enum", "type"} for choice in choices) and types.count("null") == 1:
        named = [name for choice in choices for name in choice.get("enum", ())]
        if named and len(choices) == 2:
            return {"enum": [*named, None]}
    return {"anyOf": choices}


def _reference(row: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if row.__name__ not in definitions:
        definitions[row.__name__] = {}  # its place is taken while it is being made
        definitions[row.__name__] = _object(row, definitions)
    return {"$ref": f"#/$defs/{row.__name__}"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=1) + "\n")
