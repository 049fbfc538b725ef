"""Xid errors of one GPU: the driver queues them from the moment that somebody listens."""

from tokentop.light_typing import Any
from tokentop.transport.nvml.device_queries import DeviceQueries
from tokentop.transport.nvml.driver import NvmlError

KEPT = 8

_XID = 8  # nvmlEventTypeXidCriticalError
_MOST_A_POLL = 16  # a GPU that fails may report the same Xid for every process


class XidEvents:
    """One GPU's event set; nothing here raises, for a failing GPU is when it matters most."""

    def __init__(self, ask: DeviceQueries) -> None:
        self._ask = ask
        self._events: Any = None
        self._tried = False

    def new(self) -> list[int]:
        """The codes since the last call, the oldest first; the first call begins to listen."""
        if not self._tried:
            self._tried = True
            self._listen()
            return []
        found: list[int] = []
        while self._events is not None and len(found) < _MOST_A_POLL:
            event = self._next()
            if event is None:
                break
            if event.eventType == _XID:
                found.append(int(event.eventData))
        return found

    def _listen(self) -> None:
        nvml = self._ask.nvml
        supported = self._ask.quiet("nvmlDeviceGetSupportedEventTypes")
        if supported is None or not int(supported) & _XID:
            return
        try:
            events = nvml.call("nvmlEventSetCreate")
            nvml.call("nvmlDeviceRegisterEvents", self._ask.handle, _XID, events)
        except NvmlError:
            return
        self._events = events

    def _next(self) -> Any:
        """The next event without waiting; None where there is none, or the set is void."""
        try:
            return self._ask.nvml.call("nvmlEventSetWait_v2", self._events, 0)
        except NvmlError:
            return None
