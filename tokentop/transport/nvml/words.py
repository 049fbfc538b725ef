"""What a driver that does not answer is called, and what to do about it."""

from tokentop.domain.readings import Failure
from tokentop.domain.reasons import MEND_SLOW_DRIVER
from tokentop.transport.nvml.calls import STARTING, Calls, Step

_NOTICED_S = 0.5  # a call that has lasted for longer, and far longer than the others, is named
_STARTING = f"it may be starting, {MEND_SLOW_DRIVER}; "
_LASTING = "if this lasts, see dmesg for Xid messages"


def silent(step: Step | None, calls: Calls, waited_s: float) -> Failure:
    """Why the driver has not answered `waited_s` after it was polled, and what to do about it."""
    if not calls.finished and (step is None or step.name is None):
        what = f"has not answered yet, {waited_s:.1f} s after it was polled"
        return Failure("timeout", f"the NVIDIA driver {what}: {_STARTING}{_LASTING}")
    if step is not None and _stands_out(step, calls):
        what = f"does not answer ({_name(step)} has lasted {calls.lasted(step):.1f} s)"
        return Failure("timeout", f"the NVIDIA driver {what}: {_mend(step, calls, 'reload it')}")
    pace = f"{calls.finished} calls, {calls.slowest_s:.1f} s the slowest"
    what = f"is slow, no GPU is read after {waited_s:.1f} s ({pace})"
    return Failure("timeout", f"the NVIDIA driver {what}: {MEND_SLOW_DRIVER}")


def hung(step: Step, calls: Calls) -> str:
    """Why one GPU is given up for now."""
    what = f"has not answered for {calls.lasted(step):.0f} s ({_name(step)})"
    return f"{what}: {_mend(step, calls, 'reset it')}"


def _stands_out(step: Step, calls: Calls) -> bool:
    """Starting itself, or a call that lasts far longer than the others took."""
    if step.name in ("dlopen", "nvmlInit"):
        return True
    return calls.lasted(step) >= max(_NOTICED_S, 2 * calls.slowest_s)


def _name(step: Step) -> str:
    return step.name or "looking up processes"


def _mend(step: Step, calls: Calls, first: str) -> str:
    """No word of a reboot while the call may only be slow."""
    if calls.is_stuck(step):
        return f"see dmesg for Xid messages, then {first} or reboot"
    return (_STARTING if step.name in STARTING else "") + _LASTING
