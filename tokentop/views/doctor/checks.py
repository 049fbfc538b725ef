"""The doctor's checks of services and GPUs: rows from one refresh's results; no I/O."""

from tokentop.collect.collector import HttpSource, ServiceResult
from tokentop.config.schema import Config, ServiceConfig
from tokentop.domain.readings import DeviceReading, Failure, GpusReading
from tokentop.domain.reasons import UNREACHABLE
from tokentop.domain.snapshot import Service, Snapshot
from tokentop.domain.text import fmt_duration
from tokentop.runtime.oneshot.refresh import RefreshResult
from tokentop.sources.aither.endpoints import SERVICES
from tokentop.transport.http.messages import safe_url
from tokentop.views.doctor import advice
from tokentop.views.doctor.report import Mark, Row, Section

Finding = tuple[HttpSource, ServiceResult]


NO_STACK = (
    "none of the seven services answers at its default address: fine unless you run that stack"
)


def services(config: Config, result: RefreshResult, snapshot: Snapshot) -> tuple[Section, ...]:
    """Return one section per service; one line for all where none is configured or answers."""
    known = {service.name: service for service in snapshot.services}
    result = result._replace(answers=tuple(a for a in result.answers if a[0].service in SERVICES))
    if not _stack(config, result):
        return (
            Section("Services", (Row("off", "stack", NO_STACK), *_other_programs(config, result))),
        )
    return tuple(
        Section(
            f"{service.name}  {safe_url(service.url)}",
            _service(service, result, known.get(service.name)),
        )
        for service in config.services
    )


def _stack(config: Config, result: RefreshResult) -> bool:
    """Whether any of the services is configured, or answers as one of them would."""
    if any(service.configured or service.token for service in config.services):
        return True
    return any(not isinstance(answer.reading, Failure) for _, answer in result.answers)


def _other_programs(config: Config, result: RefreshResult) -> tuple[Row, ...]:
    """The services at whose address another program answers."""
    taken = {
        source.service
        for source, answer in result.answers
        if not (isinstance(answer.reading, Failure) and answer.reading.kind in UNREACHABLE)
    }
    named = ", ".join(s.name for s in config.services if s.name in taken)
    return (Row("info", "others", f"another program is at the address of {named}"),) * bool(taken)


def offers(snapshot: Snapshot) -> tuple[Section, ...]:
    """Return what the clouds that rent GPUs answered; nothing where none is configured."""
    rows = tuple(_provider(one) for one in snapshot.services if one.kind == "offers")
    return (Section("Offers of GPUs", rows),) if rows else ()


def _provider(one: Service) -> Row:
    """Each list is asked for once in five minutes, whoever asks: one row says how that went."""
    if one.error is not None:
        return Row("warn", one.name, one.error)
    if one.age_s is None:
        return Row("info", one.name, f"{one.url} has not answered yet")
    return Row("ok", one.name, f"{one.url} answered {fmt_duration(one.age_s)} ago, GET only")


def tls(config: Config) -> tuple[Row, ...]:
    """Return whether certificates are verified, and by what."""
    rows = []
    if config.tls.verify:
        rows.append(Row("ok", "certificates", "verified"))
    else:
        origin = dict(config.origins).get("tls.verify", "configured")
        todo = "anyone on the network path can read the token: use it for tests only"
        rows.append(Row("warn", "certificates", f"NOT verified ({origin})", todo))
    found = config.tls.ca_bundle or "the system's (no private CA bundle was found)"
    rows.append(Row("info", "CA bundle", found))
    return tuple(rows)


def _service(
    service: ServiceConfig, result: RefreshResult, known: Service | None
) -> tuple[Row, ...]:
    own = [pair for pair in result.answers if pair[0].service == service.name]
    if not service.enabled:
        return (Row("off", "not polled", "switched off in the configuration"),)
    if not own:
        why = known.error if known is not None and known.error else "no endpoint is due"
        return (Row("warn", "not polled", f"backing off after repeated failures: {why}"),)
    failures = {answer.reading for _, answer in own if isinstance(answer.reading, Failure)}
    if len(failures) == 1 and all(isinstance(answer.reading, Failure) for _, answer in own):
        return _silent(service, own, failures.pop())
    return tuple(_endpoint(service, *finding) for finding in own)


def _silent(service: ServiceConfig, own: list[Finding], failure: Failure) -> tuple[Row, ...]:
    """Return one reason for all endpoints, instead of the same advice many times."""
    row = _failed("service", failure, service.name)
    if failure.kind == "refused" and not service.configured:
        row = row._replace(mark="off", found=f"{failure.text} (its default address)")
    paths = ", ".join(_path(source, service) for source, _ in own)
    return (row, Row("info", "requests", f"GET {paths}"))


def _endpoint(service: ServiceConfig, source: HttpSource, answer: ServiceResult) -> Row:
    name = f"GET {_path(source, service)}"
    if isinstance(answer.reading, Failure):
        return _failed(name, answer.reading, service.name)
    return _answered(name, answer, answer.reading.bad)


def _path(source: HttpSource, service: ServiceConfig) -> str:
    return safe_url(source.request.url).removeprefix(safe_url(service.url)) or "/"


def _answered(name: str, answer: ServiceResult, bad: tuple[str, ...]) -> Row:
    speed = f"{answer.status} in {milliseconds(answer.latency_s)}"
    if not bad:
        return Row("ok", name, speed)
    todo = "these fields keep their last good value; see what the service answers there"
    return Row("warn", name, f"{speed}, but unusable: {', '.join(bad)}", todo)


def _failed(name: str, failure: Failure, service: str) -> Row:
    mark: Mark = "warn" if failure.neutral else "fail"
    env = SERVICES[service].env if service in SERVICES else "its URL"
    return Row(mark, name, failure.text, advice.for_service(failure, service, env))


def driver_failure(failure: Failure) -> Row:
    mark: Mark = "off" if failure.kind == "absent" else "fail"
    if failure.kind == "timeout":
        found, _, todo = failure.text.partition(": ")
        return Row(mark, "driver", found, todo)
    return Row(mark, "driver", failure.text, advice.for_gpus(failure))


def devices(reading: GpusReading) -> tuple[Row, ...]:
    """Return one row per GPU: its name, state, and what the driver refuses."""
    return tuple(_device(device) for device in reading.devices if device.mig is None)


def _device(device: DeviceReading) -> Row:
    marks: dict[str, Mark] = {"ok": "ok", "suspended": "info", "stale": "warn"}
    words = [device.name or "unnamed"]
    if device.state not in ("ok", "stale"):
        words.append(device.state)
    if device.note:
        words.append(device.note)
    if device.processes is None and device.state == "ok":
        words.append("its process list is refused")
    index = "GPU" if device.index is None else f"GPU {device.index}"
    return Row(marks.get(device.state, "fail"), index, ": ".join(words))


def milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "unknown time"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
