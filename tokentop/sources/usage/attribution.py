"""Whose usage it is, by the names of attributes that clients and telemetry use for that."""

from collections.abc import Mapping, Sequence

from tokentop.light_typing import Any
from tokentop.sources.json_fields import Fields

Names = Mapping[str, Sequence[str]]  # of a figure -> its attributes, before the usual ones
NO_NAMES: Names = {}

USUAL: Names = {
    "user": ("user.email", "user.name", "user.id", "enduser.id", "gen_ai.user", "user"),
    "project": ("x-project", "project", "project.id", "project.name", "project_id",
                "traceloop.association.properties.project"),
    "team": ("team.id", "team", "department", "cost_center",
             "traceloop.association.properties.team"),
    "task": ("x-task-id", "task", "task.id", "task_id", "prompt.id"),
    "session": ("session.id", "session_id", "gen_ai.conversation.id", "conversation.id"),
}  # fmt: skip


def text(fields: Fields, figure: str, names: Names) -> str | None:
    """The first attribute that names `figure`; keys of `fields` are in lower case."""
    return fields.text(figure, *names.get(figure, ()), *USUAL[figure])


def claimed(fields: Fields, names: Names) -> dict[str, Any]:
    """User, project, team, task and session as the sender named them; nobody authenticated them."""
    return {figure: text(fields, figure, names) for figure in USUAL}
