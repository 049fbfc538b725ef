"""How a loopback server answers: each function makes one Behaviour."""

import json
import socket
import struct
import threading
from collections.abc import Mapping

from tests.servers.loopback import Behaviour, Connection


def head(status: int = 200, **headers: object) -> bytes:
    """The bytes of an answer's head; `content_length=2` becomes `Content-Length: 2`."""
    lines = [f"HTTP/1.1 {status} Whatever", "Server: loopback"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def ok(
    value: object = None, *, status: int = 200, content_type: str = "application/json"
) -> Behaviour:
    """A good answer, kept alive; bytes are sent as they are, anything else as JSON."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    answer = head(status, content_type=content_type, content_length=len(body)) + body

    def behave(connection: Connection) -> bool:
        connection.send(answer)
        return True

    return behave


def raw(data: bytes) -> Behaviour:
    """Exactly these bytes, then the end of the connection."""

    def behave(connection: Connection) -> bool:
        connection.send(data)
        return False

    return behave


def routes(table: Mapping[str, Behaviour]) -> Behaviour:
    """One behaviour a path (query and all), else 404; the table may change while it serves."""
    not_found = status(404)

    def behave(connection: Connection) -> bool:
        return table.get(connection.asked.path, not_found)(connection)

    return behave


def gated(gate: threading.Event, then: Behaviour) -> Behaviour:
    """Answers once the test opens the gate: slowness without a clock."""

    def behave(connection: Connection) -> bool:
        while not gate.wait(0.05):
            connection.pause(0)
        return then(connection)

    return behave


def slow(seconds: float, then: Behaviour) -> Behaviour:
    """Answers after so long (benchmarks; in a test prefer `gated`)."""

    def behave(connection: Connection) -> bool:
        connection.pause(seconds)
        return then(connection)

    return behave


def hanging() -> Behaviour:
    """Takes the request and never answers."""

    def behave(connection: Connection) -> bool:
        connection.pause()
        return False

    return behave


def dripping(value: object = None, every_s: float = 0.02) -> Behaviour:
    """A good answer, one byte at a time."""
    body = json.dumps(value).encode()

    def behave(connection: Connection) -> bool:
        for byte in head(content_length=len(body)) + body:
            connection.send(bytes((byte,)))
            connection.pause(every_s)
        return True

    return behave


def resetting(before: bytes = b"") -> Behaviour:
    """Sends `before`, then resets the connection (RST, not an orderly end)."""

    def behave(connection: Connection) -> bool:
        if before:
            connection.send(before)
        linger = struct.pack("ii", 1, 0)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.sock.close()
        return False

    return behave


def status(code: int) -> Behaviour:
    """That status with a small JSON body."""
    return ok({"detail": f"status {code}"}, status=code)


def html() -> Behaviour:
    """200 with a web page, as a proxy's login form is."""
    return ok(b"<!doctype html><title>Sign in</title>", content_type="text/html")


def truncated_json() -> Behaviour:
    """Correctly framed, but the JSON stops in the middle."""
    return ok(b'{"queued": 3, "proc')


def cut_off() -> Behaviour:
    """Announces more than it sends, then ends the connection in order."""
    return raw(head(content_length=1000) + b'{"queued": 3')


def wrong_types() -> Behaviour:
    """Valid JSON in which nothing is what it should be."""
    return ok({"queued": "many", "processing": [], "models_loaded": 7, "max_slots": {"a": None}})


def endless_body(total: int = 100 * 2**20) -> Behaviour:
    """100 MB with no length announced."""
    block = b"[" * 65536

    def behave(connection: Connection) -> bool:
        connection.send(head(content_type="application/json"))
        for _ in range(total // len(block)):
            connection.send(block)
        return False

    return behave


def endless_headers() -> Behaviour:
    """Headers that never stop."""
    block = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 200) for n in range(50))

    def behave(connection: Connection) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.send(block)

    return behave


def redirect(location: str, code: int = 302) -> Behaviour:
    """Points elsewhere."""
    answer = head(code, location=location, content_length=0)

    def behave(connection: Connection) -> bool:
        connection.send(answer)
        return True

    return behave


def redirect_loop() -> Behaviour:
    """Points at itself, for ever."""
    return redirect("/again")


def guarded(token: str, then: Behaviour) -> Behaviour:
    """401 unless the bearer token is right."""
    refuse = status(401)

    def behave(connection: Connection) -> bool:
        right = connection.asked.headers.get("authorization") == f"Bearer {token}"
        return (then if right else refuse)(connection)

    return behave


MISBEHAVIOURS: dict[str, Behaviour] = {
    "hanging": hanging(),
    "dripping": dripping([1] * 2000, every_s=0.02),
    "resetting": resetting(),
    "reset_in_body": resetting(head(content_length=100) + b"{"),
    "500": status(500),
    "401": status(401),
    "404": status(404),
    "html": html(),
    "truncated_json": truncated_json(),
    "cut_off": cut_off(),
    "wrong_types": wrong_types(),
    "100_mb": endless_body(),
    "endless_headers": endless_headers(),
    "redirect_loop": redirect_loop(),
    "redirect_away": redirect("http://192.0.2.1:9/elsewhere"),
    "garbage": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
}
"""What a service on loopback may do wrong, by name (TLS faults: tests/servers/certificates.py)."""
