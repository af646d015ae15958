"""Whether a GPU may be given to anybody, as far as its driver tells.

Xid errors reach us through what they leave behind: the recovery that the driver asks for, error
counters, remapped rows. NVML hands out the Xids themselves only to who keeps it open (see nvml.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

RETIRED_PAGES_LIMIT = 60
"""From this many retired pages on NVIDIA replaces a board (Dynamic Page Retirement, RMA policy)."""

_RECOVERY_WORDS = {
    1: "a reset of the GPU",
    2: "a restart of the machine",
    3: "that peer-to-peer work on it ends",
    4: "that its work ends and the GPU is reset",
    5: "a recovery of the IMEX domain",
    6: "a reset of the bus",
    7: "a restart of the system",
}


@dataclass(frozen=True, slots=True)
class Health:
    """``problem``: why nobody may have the device. ``warning``: what an operator should mend in time."""

    problem: str = ""
    warning: str = ""


def read_health(binding: Any, handle: Any) -> Health:
    """Ask all that the driver can tell; what a model of GPU does not support says nothing."""
    problems: list[str] = []
    warnings: list[str] = []
    for ask in (_recovery, _memory_errors, _remapped_rows, _retired_pages, _responsive):
        problem, warning = _asked(binding, ask, handle)
        problems += [problem] if problem else []
        warnings += [warning] if warning else []
    return Health(" ".join(dict.fromkeys(problems)), " ".join(dict.fromkeys(warnings)))


Answer = tuple[str, str]


def _asked(binding: Any, ask: Callable[[Any, Any], Answer], handle: Any) -> Answer:
    broken = (binding.NVML_ERROR_GPU_IS_LOST, binding.NVML_ERROR_RESET_REQUIRED)
    try:
        return ask(binding, handle)
    except binding.NVMLError as error:
        return (_unreachable(error), "") if error.value in broken else ("", "")


def _unreachable(error: Any) -> str:
    return f"The driver cannot reach it: {str(error).rstrip('.')} (NVML error {error.value})."


def _responsive(binding: Any, handle: Any) -> Answer:
    """Every GPU has a name and memory: whatever stands in the way of reading them is a problem."""
    try:
        binding.nvmlDeviceGetName(handle)
        binding.nvmlDeviceGetMemoryInfo(handle)
    except binding.NVMLError_NotSupported:  # memory shared with the processor is not told
        return "", ""
    except binding.NVMLError as error:
        return _unreachable(error), ""
    return "", ""


def _recovery(binding: Any, handle: Any) -> Answer:
    value = binding.nvmlDeviceGetFieldValues(handle, [binding.NVML_FI_DEV_GET_GPU_RECOVERY_ACTION])[
        0
    ]
    if value.nvmlReturn != binding.NVML_SUCCESS:
        return "", ""
    action = value.value.uiVal
    if action == binding.NVML_GPU_RECOVERY_ACTION_NONE:
        return "", ""
    return f"The driver asks for {_RECOVERY_WORDS.get(action, f'recovery action {action}')}.", ""


def _memory_errors(binding: Any, handle: Any) -> Answer:
    count = binding.nvmlDeviceGetTotalEccErrors(
        handle, binding.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, binding.NVML_VOLATILE_ECC
    )
    if not count:
        return "", ""
    return f"Uncorrectable memory errors since the driver was loaded: {count}. Reset the GPU.", ""


def _remapped_rows(binding: Any, handle: Any) -> Answer:
    _, _, pending, failed = binding.nvmlDeviceGetRemappedRows(handle)
    if failed:
        return "A row of its memory could not be remapped. Replace the GPU.", ""
    return (
        "",
        "Rows of its memory wait to be remapped. Reset the GPU when it is free." if pending else "",
    )


def _retired_pages(binding: Any, handle: Any) -> Answer:
    causes = (
        binding.NVML_PAGE_RETIREMENT_CAUSE_MULTIPLE_SINGLE_BIT_ECC_ERRORS,
        binding.NVML_PAGE_RETIREMENT_CAUSE_DOUBLE_BIT_ECC_ERROR,
    )
    retired = sum(len(binding.nvmlDeviceGetRetiredPages(handle, cause)) for cause in causes)
    if retired >= RETIRED_PAGES_LIMIT:
        return (
            f"{retired} pages of its memory are retired ({RETIRED_PAGES_LIMIT} is where NVIDIA replaces it).",
            "",
        )
    pending = binding.nvmlDeviceGetRetiredPagesPendingStatus(handle)
    return (
        "",
        "Pages of its memory wait to be retired. Reset the GPU when it is free." if pending else "",
    )
