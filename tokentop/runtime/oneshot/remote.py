"""The text views' refresh where another machine's `tokentop serve` polls: one GET."""

from time import monotonic

from tokentop.config.schema import Config
from tokentop.domain.aging import aged, silent
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Service, Snapshot
from tokentop.sources.collector import TOKEN_ECONOMY, snapshot
from tokentop.sources.json_fields import BadData
from tokentop.transport.http.client_blocking import Request, fetch


class RemoteRefresher:
    """Asks the first of the configured hosts; while it is silent its last snapshot grows old."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._host = config.hosts[0]
        self._last = Snapshot(host=self._host.name, interval_s=config.interval_s)
        self._last_at = monotonic()

    def refresh(self, deadline: float) -> Snapshot:
        """The host's snapshot by `deadline` (monotonic); else the last one, with the reason."""
        config = self.config
        reply = fetch(
            Request(
                self._host.url + TOKEN_ECONOMY,
                timeout_s=max(0.0, min(config.timeout_s, deadline - monotonic())),
                max_bytes=config.max_bytes,
                token=self._host.token,
                ca_bundle=config.tls.ca_bundle,
                verify=config.tls.verify,
            )
        )
        if isinstance(reply, Failure):
            return self._silent(reply)
        try:
            self._last = snapshot(reply.body)
        except BadData as problem:
            return self._silent(Failure("bad-data", str(problem)))
        self._last_at = monotonic()
        return self._last

    def _silent(self, failure: Failure) -> Snapshot:
        """No service is live: it is the collector that does not answer."""
        old = silent(aged(self._last, monotonic() - self._last_at), failure.text)
        collector = Service(
            self._host.name, "tokentop", self._host.url, error=failure.text, reason=failure.kind
        )
        offline = [row._replace(state="offline") for row in old.services]
        online = tuple((name, False) for name, _ in old.services_online)
        return old._replace(services=(collector, *offline), services_online=online)

    def apply_policy(self, config: Config) -> bool:  # noqa: ARG002
        """Prices are the host's own."""
        return False

    def stop(self) -> None:
        """Nothing is kept."""
