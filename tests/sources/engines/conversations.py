"""Conversations held with plain dictionaries, and pages made of lines."""

import json
from collections.abc import Generator, Mapping
from typing import TypeVar

from tests.payloads import payload
from tokentop.domain.engines.readings import EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources.engines.protocol import Answer, Answers, Paths

R = TypeVar("R")

NOT_FOUND = Failure("http", "no such path", True, 404)
AUTH_REQUIRED = Failure("auth", "wants a token", True, 401)
LOADING = Failure("http", "answered 503", False, 503)
DISABLED = Failure("http", "answered 501", False, 501)
WEB_PAGE = Answer(b"<!doctype html><title>Sign in</title>", "text/html")

Table = Mapping[str, Answer | Failure]


def text(*lines: str) -> Answer:
    """A metrics page of these lines."""
    return Answer(("\n".join(lines) + "\n").encode(), "text/plain; version=0.0.4")


def obj(value: object, server: str = "") -> Answer:
    return Answer(json.dumps(value).encode(), "application/json", server)


def captured(name: str, server: str = "") -> Answer:
    kind = "application/json" if name.endswith(".json") else "text/plain"
    return Answer(payload(name), kind, server)


class Talk:
    """Answers from a table, else `otherwise`; `asked` lists every path."""

    def __init__(self, table: Table, otherwise: Answer | Failure = NOT_FOUND) -> None:
        self.table = table
        self.otherwise = otherwise
        self.asked: list[str] = []

    def hold(self, conversation: Generator[Paths, Answers, R]) -> R:
        try:
            paths = next(conversation)
            while True:
                self.asked += paths
                answers = {path: self.table.get(path, self.otherwise) for path in paths}
                paths = conversation.send(answers)
        except StopIteration as ended:
            result: R = ended.value
            return result


def read(
    conversation: Generator[Paths, Answers, EngineReading | Failure],
    table: Table,
    otherwise: Answer | Failure = NOT_FOUND,
) -> EngineReading:
    """The reading that the conversation comes to; a Failure fails the test."""
    result = Talk(table, otherwise).hold(conversation)
    assert isinstance(result, EngineReading), result
    return result
