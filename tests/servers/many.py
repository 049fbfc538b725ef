"""Many small engines in one process of its own, on one thread: python -m tests.servers.many COUNT.

Prints their URLs as JSON and serves until killed. Each is a vLLM with one model.
"""

import json
import resource
import selectors
import socket
import sys

PAGES = {
    b"/metrics": (
        b"text/plain",
        b'vllm:num_requests_running{model_name="m"} 1\n'
        b'vllm:num_requests_waiting{model_name="m"} 0\n'
        b'vllm:kv_cache_usage_perc{model_name="m"} 0.25\n'
        b'vllm:generation_tokens_total{model_name="m"} 100\n',
    ),
    b"/version": (b"application/json", b'{"version":"0.11.2"}'),
    b"/v1/models": (
        b"application/json",
        b'{"object":"list","data":[{"id":"m","object":"model","owned_by":"vllm"}]}',
    ),
}


def answer(request: bytes) -> bytes:
    path = request.split(b" ", 2)[1].partition(b"?")[0]
    kind, body = PAGES.get(path, (b"text/plain", b""))
    status = b"200 OK" if path in PAGES else b"404 Not Found"
    head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (status, kind, len(body)) + body


def serve(count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    selector = selectors.DefaultSelector()
    urls = []
    for _ in range(count):
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, listener)
        urls.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
    print(json.dumps(urls), flush=True)
    while True:
        for key, _ in selector.select():
            if key.data is not None:
                connection, _ = key.data.accept()
                selector.register(connection, selectors.EVENT_READ, None)
            elif not _answered(key.fileobj):
                selector.unregister(key.fileobj)
                key.fileobj.close()


def _answered(connection: socket.socket) -> bool:
    """A request is small enough to come in one piece."""
    try:
        request = connection.recv(65536)
        if request:
            connection.sendall(answer(request))
    except OSError:
        return False
    return bool(request)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
