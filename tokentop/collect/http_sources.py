"""The services' endpoints: what each is asked, and what an answer comes to."""

from collections.abc import Callable, Generator, Sequence

from tokentop.config.schema import Config, ServiceConfig
from tokentop.domain.fold.fold import ServiceObservation
from tokentop.domain.readings import Failure, Reading
from tokentop.named_tuple import NamedTuple
from tokentop.sources.aither.endpoints import ENDPOINTS, BadData, Endpoint
from tokentop.transport.http.messages import Reply, Request, safe_url


class HttpSource(NamedTuple):
    """One endpoint to ask; `key` is "service/endpoint", `parse` raises BadData.

    Between two requests lie `pause_s` seconds at least.
    """

    key: str
    service: str
    request: Request
    parse: Callable[[bytes], Reading]
    pause_s: float = 0.0


class ServiceResult(NamedTuple):
    """One endpoint's reading, or why there is none; status and seconds of the answer behind it."""

    reading: Reading | Failure
    status: int | None = None
    latency_s: float | None = None


def service_poll(
    source: HttpSource,
) -> Generator[Sequence[Request], list[Reply | Failure], ServiceResult]:
    """The poll of one endpoint: its request, then what the answer comes to."""
    (reply,) = yield (source.request,)
    return read(source, reply)


def read(source: HttpSource, reply: Reply | Failure) -> ServiceResult:
    """What an answer comes to; a body that makes no sense is a Failure, whatever it holds."""
    if isinstance(reply, Failure):
        return ServiceResult(reply, reply.status)
    return ServiceResult(_parsed(source, reply), reply.status, reply.latency_s)


def _parsed(source: HttpSource, reply: Reply) -> Reading | Failure:
    try:
        return source.parse(reply.body)
    except BadData as problem:
        # Somebody is there and answers at once: parking would only hide what is wrong.
        return Failure("bad-data", str(problem), neutral=True)


def sources_of(config: Config) -> tuple[HttpSource, ...]:
    """The rows of every enabled service, in the table's order; those of providers follow."""
    enabled = {service.name: service for service in config.services if service.enabled}
    rows = tuple(
        HttpSource(row.key, row.service, _request(config, enabled[row.service], row), row.parse)
        for row in ENDPOINTS
        if row.service in enabled
    )
    return rows + _offer_sources(config) if config.offers.configured() else rows


def _offer_sources(config: Config) -> tuple[HttpSource, ...]:
    """Both lists of every configured provider; certificates are verified whatever [tls] says."""
    from tokentop.sources.offers.providers import LISTS, PAUSE_S, TIMEOUT_S

    size = config.policy.capacity.vram_gb
    rows = [(row, one) for row in LISTS if (one := config.offers.configured().get(row.provider))]
    return tuple(
        HttpSource(
            row.key,
            row.provider,
            Request(one.url + row.path_for(size), TIMEOUT_S, config.max_bytes, one.token),
            row.parse,
            PAUSE_S,
        )
        for row, one in rows
    )


def _request(config: Config, service: ServiceConfig, row: Endpoint) -> Request:
    path = dict(service.paths).get(row.name, row.path)
    return Request(
        url=service.url.rstrip("/") + "/" + path.lstrip("/"),
        timeout_s=config.timeout_s,
        max_bytes=config.max_bytes,
        token=service.token,
        ca_bundle=config.tls.ca_bundle,
        verify=config.tls.verify,
    )


def observations_of(
    config: Config, sources: tuple[HttpSource, ...]
) -> tuple[ServiceObservation, ...]:
    services = [
        ServiceObservation(
            service.name, safe_url(service.url), service.enabled, configured=service.configured
        )
        for service in config.services
    ]
    providers = [
        ServiceObservation(name, safe_url(one.url), configured=True, kind="offers")
        for name, one in config.offers.configured().items()
    ]
    return tuple(
        row._replace(keys=tuple(source.key for source in sources if source.service == row.name))
        for row in (*services, *providers)
    )
