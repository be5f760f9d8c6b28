"""Import onnxruntime, with its telemetry switched off."""

from __future__ import annotations

import os
from types import ModuleType


def import_onnxruntime() -> ModuleType:
    """Import onnxruntime and return the module.

    Every use of onnxruntime goes through this function: its Linux wheel sends telemetry unless
    `ORT_DISABLE_TELEMETRY` is set before the first import. Calling `disable_telemetry_events` later does not
    stop it.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime
