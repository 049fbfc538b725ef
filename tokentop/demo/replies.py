"""What the transports would make of the demo's answers, without their sockets.

For polls of the past, which a frozen moment stands on.
"""

from tokentop.demo.answers import answer
from tokentop.demo.stack import State
from tokentop.domain.readings import Failure
from tokentop.transport.http.failures import failure_for_exception, failure_for_status
from tokentop.transport.http.messages import Reply, Request, target_of

LATENCY_S = 0.003


def answered(request: Request, state: State) -> Reply | Failure:
    """The reply, or the failure, to one GET at the state's moment."""
    said = answer(target_of(request).path, state)
    if said is None:
        return failure_for_exception(ConnectionRefusedError(), request.url, request.timeout_s)
    failure = failure_for_status(said.status, request.url)
    return failure or Reply(said.status, said.body, "application/json", latency_s=LATENCY_S)
