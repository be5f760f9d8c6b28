"""The one place where detectron2 is looked for and first imported."""

from __future__ import annotations

import importlib
import importlib.util
import warnings

from ...errors import UsageError
from .torchvision_ops import Ops, provide


def require_detectron2() -> Ops:
    """Make `import detectron2` work in this process; say whose `nms` and `roi_align` it computes with.

    Raises `UsageError` where detectron2 is not installed or cannot be imported. Fetches nothing.
    """
    if importlib.util.find_spec("detectron2") is None:
        raise UsageError(
            "Mask R-CNN needs detectron2, which is not installed: run 'videopose install detectron2'"
        )
    ops = provide()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", DeprecationWarning)  # by fvcore
        try:
            for module in ("checkpoint", "config", "model_zoo", "modeling"):
                importlib.import_module(f"detectron2.{module}")
        except ImportError as error:
            raise UsageError(f"the installed detectron2 cannot be imported ({error})") from error
    return ops
