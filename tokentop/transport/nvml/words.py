"""What a driver that does not answer is called, and what to do about it."""

from tokentop.domain.readings import Failure
from tokentop.domain.reasons import MEND_SLOW_DRIVER
from tokentop.transport.nvml.calls import STARTING, STARTING_S, Calls, Step

_NOTICED_S = 0.5  # a call that has lasted for longer, and far longer than the others, is named


def silent(step: Step | None, calls: Calls, waited_s: float) -> Failure:
    """Why the driver has not answered `waited_s` after it was polled, and what to do about it."""
    if step is not None and calls.lasted(step) >= max(_NOTICED_S, 2 * calls.slowest_s):
        what = f"does not answer ({_name(step)} has lasted {calls.lasted(step):.0f} s)"
        return Failure("timeout", f"the NVIDIA driver {what}: {_mend(step, calls, 'reload it')}")
    pace = f" ({calls.finished} calls, {calls.slowest_s:.1f} s the slowest)"
    what = f"is slow, no GPU is read after {waited_s:.1f} s{pace if calls.finished else ''}"
    return Failure("timeout", f"the NVIDIA driver {what}: {MEND_SLOW_DRIVER}")


def hung(step: Step, calls: Calls) -> str:
    """Why one GPU is given up for now."""
    what = f"has not answered for {calls.lasted(step):.0f} s ({_name(step)})"
    return f"{what}: {_mend(step, calls, 'reset it')}"


def _name(step: Step) -> str:
    return step.name or "looking up processes"


def _mend(step: Step, calls: Calls, first: str) -> str:
    if step.name in STARTING and calls.lasted(step) < STARTING_S:
        return f"it may have to start first; {MEND_SLOW_DRIVER}"
    return f"see dmesg for Xid messages, then {first} or reboot"
