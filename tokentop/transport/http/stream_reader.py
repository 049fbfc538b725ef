"""An answer without end, like Server-Sent Events: its pieces are handed over as they come."""

from time import monotonic

from tokentop.transport.http.budget import Budget, Meter, StreamBudget
from tokentop.transport.http.exchange import Take
from tokentop.transport.http.http1 import Http1Reader, Steps
from tokentop.transport.http.messages import AnswerHead, Request


class StreamReader(Http1Reader):
    """Gives `take` each chunk of the body; what it costs is counted anew every few seconds."""

    def __init__(self, request: Request, budget: Budget, take: Take) -> None:
        self._take = take
        self._budget = budget
        super().__init__(request, budget)

    def _body(self, head: AnswerHead) -> Steps[bytes]:
        if head.headers.get("transfer-encoding", "").lower() != "chunked":
            self._not_http()
        while (size := (yield from self._chunk_size())) > 0:
            self._take((yield from self._exactly(size)))
            if (yield from self._line(2)) != b"":
                self._not_http()
            if isinstance(self._budget, StreamBudget) and self._budget.renew(monotonic()):
                self._meter = Meter(self._budget)
        yield from self._headers()  # trailers
        return b""
