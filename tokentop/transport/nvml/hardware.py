"""Clocks, links, fan, ECC and throttle reasons: what the GPU page asks, and what it makes of it."""

from collections.abc import Iterable, Mapping

from tokentop.domain.gpu_detail import GpuDetail, ThrottleReason
from tokentop.light_typing import Any
from tokentop.transport.nvml.device_queries import DeviceQueries

# nvmlClocksEventReasons; an idle GPU (bit 1) is not throttled.
_REASONS: tuple[tuple[int, ThrottleReason], ...] = (
    (0x40, "hw-thermal"),
    (0x20, "sw-thermal"),
    (0x80, "power-brake"),
    (0x08, "hw-slowdown"),
    (0x04, "power-cap"),
    (0x10, "sync-boost"),
    (0x02, "app-clocks"),
    (0x100, "display-clocks"),
)
_SM, _MEMORY = 1, 2  # NVML_CLOCK_SM, NVML_CLOCK_MEM
_PCIE_TX, _PCIE_RX = 0, 1  # NVML_PCIE_UTIL_TX_BYTES, NVML_PCIE_UTIL_RX_BYTES
_CORRECTED, _UNCORRECTED, _VOLATILE = 0, 1, 0
_ALL_LINKS = 0xFFFFFFFF
_NVLINK_TX, _NVLINK_RX, _PCIE_COUNT_TX, _PCIE_COUNT_RX = 138, 139, 197, 198  # NVML_FI_DEV_*
# Counters that only rise, with the bytes of one unit; PCIe's came with R525.
_COUNTERS = {_NVLINK_TX: 1024, _NVLINK_RX: 1024, _PCIE_COUNT_TX: 1, _PCIE_COUNT_RX: 1}
_FIELDS = ((_NVLINK_TX, _ALL_LINKS), (_NVLINK_RX, _ALL_LINKS), _PCIE_COUNT_TX, _PCIE_COUNT_RX)
_LEAST_S = 0.2  # between two readings of a counter that make a rate
_KB = 1024  # nvmlDeviceGetPcieThroughput counts in KB/s
_WIDE = (2, 3)  # value types of 64 bits; one of 32 wraps within a second at full speed

Counts = Mapping[int, tuple[float, int]]
Rates = dict[int, float]


def throttle_reasons(ask: DeviceQueries) -> tuple[ThrottleReason, ...] | None:
    """What holds the clocks down, the worst first; None where the driver does not say."""
    bits = ask.quiet("nvmlDeviceGetCurrentClocksEventReasons")
    if bits is None:  # before R535
        bits = ask.quiet("nvmlDeviceGetCurrentClocksThrottleReasons")
    return None if bits is None else tuple(name for bit, name in _REASONS if int(bits) & bit)


class Hardware:
    """One GPU's detail at every poll of the page; its limits, which stay, once."""

    def __init__(self, ask: DeviceQueries) -> None:
        self._ask = ask
        self._limits: GpuDetail | None = None
        self._counts: Counts = {}
        self._rates: Rates = {}

    def read(self) -> GpuDetail:
        """The figures of now; raises NvmlError as the queries do.

        Throughput is known from the second reading on, and at once where PCIe has no counter.
        """
        ask = self._ask.quiet
        fan = _number(ask("nvmlDeviceGetFanSpeed"))
        pstate = _number(ask("nvmlDeviceGetPerformanceState"))
        rx, tx = self._pcie()
        return self._facts()._replace(
            pstate=pstate if pstate is not None and pstate < 16 else None,  # 32 is "unknown"
            fan=None if fan is None else fan / 100,
            sm_mhz=_number(ask("nvmlDeviceGetClockInfo", _SM)),
            memory_mhz=_number(ask("nvmlDeviceGetClockInfo", _MEMORY)),
            pcie_generation=_number(ask("nvmlDeviceGetCurrPcieLinkGeneration")),
            pcie_width=_number(ask("nvmlDeviceGetCurrPcieLinkWidth")),
            pcie_rx_bytes_per_s=rx,
            pcie_tx_bytes_per_s=tx,
            nvlink_rx_bytes_per_s=self._rates.get(_NVLINK_RX),
            nvlink_tx_bytes_per_s=self._rates.get(_NVLINK_TX),
            ecc_corrected=_number(ask("nvmlDeviceGetTotalEccErrors", _CORRECTED, _VOLATILE)),
            ecc_uncorrected=_number(ask("nvmlDeviceGetTotalEccErrors", _UNCORRECTED, _VOLATILE)),
        )

    def _facts(self) -> GpuDetail:
        if self._limits is None:
            ask = self._ask.quiet
            self._limits = GpuDetail(
                sm_max_mhz=_number(ask("nvmlDeviceGetMaxClockInfo", _SM)),
                memory_max_mhz=_number(ask("nvmlDeviceGetMaxClockInfo", _MEMORY)),
                pcie_generation_max=_number(ask("nvmlDeviceGetMaxPcieLinkGeneration")),
                pcie_width_max=_number(ask("nvmlDeviceGetMaxPcieLinkWidth")),
            )
        return self._limits

    def _pcie(self) -> tuple[float | None, float | None]:
        """(Received, sent) bytes/s: by the counters, else by two calls that take 20 ms each."""
        counts = _counts(self._ask.quiet("nvmlDeviceGetFieldValues", _FIELDS) or ())
        self._update_rates(counts)
        if _PCIE_COUNT_RX in counts or _PCIE_COUNT_TX in counts:
            return self._rates.get(_PCIE_COUNT_RX), self._rates.get(_PCIE_COUNT_TX)
        sampled = (self._ask.quiet("nvmlDeviceGetPcieThroughput", w) for w in (_PCIE_RX, _PCIE_TX))
        received, sent = (None if kb is None else float(kb) * _KB for kb in sampled)
        return received, sent

    def _update_rates(self, counts: Counts) -> None:
        """The bytes that each counter gained, by the driver's own times."""
        rates: Rates = {}
        for field, (size, at_us) in counts.items():
            before, before_us = self._counts.get(field, (size, at_us))
            passed_s = (at_us - before_us) / 1e6
            if 0 < passed_s < _LEAST_S:
                return
            if passed_s > 0 and size >= before:  # one that fell was reset, or has wrapped
                rates[field] = (size - before) / passed_s
        self._counts, self._rates = counts, rates


def _counts(values: Iterable[Any]) -> Counts:
    """Bytes and the Unix microsecond by field, of those fields that this GPU has."""
    return {
        int(each.fieldId): (
            float(each.value.ullVal) * _COUNTERS[int(each.fieldId)],
            int(each.timestamp),
        )
        for each in values
        if each.nvmlReturn == 0 and each.valueType in _WIDE and int(each.fieldId) in _COUNTERS
    }


def _number(answer: Any) -> int | None:
    return None if answer is None else int(answer)
