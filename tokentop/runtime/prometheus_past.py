"""A stretch of the past from the Prometheus server that is configured; blocks, at most 10 s."""

from time import monotonic

from tokentop.collect.prometheus import request_of
from tokentop.config.schema import Config
from tokentop.domain.past import Past, PastError, Stretch
from tokentop.domain.readings import Failure
from tokentop.sources.prometheus.past import protocol
from tokentop.transport.http.client import Client
from tokentop.transport.http.poll import Poll
from tokentop.transport.run_protocol import steps

TIMEOUT_S = 10.0  # a range costs the server more than a poll


def read(config: Config, stretch: Stretch) -> Past:
    """The stretch, times in Unix seconds; raises PastError where the server does not answer."""
    base = request_of(config)._replace(timeout_s=TIMEOUT_S)
    until = monotonic() + TIMEOUT_S
    poll = Poll(steps(protocol(stretch, config.prometheus.group_by), base), base, until=until)
    client = Client()
    client.submit(poll)
    client.run(until)
    client.end(until)
    if isinstance(poll.result, Failure):
        raise PastError(f"The past cannot be read from Prometheus: {poll.result.text}.")
    return Past(poll.result, poll.result, poll.result)
