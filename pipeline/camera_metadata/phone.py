"""Read which phone or tablet filmed, for files that do not give the focal length.

Apple writes the model to the QuickTime metadata (com.apple.quicktime.model), Android's muxer writes
com.android.version, and some phones .manufacturer and .model too. Older files and some editors have the make
and model as user data (©mak, ©mod; QuickTime File Format, "User data atoms").
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import Intrinsics
from .apple_models import apple_model
from .known_camera import KnownCamera
from .mp4 import Mp4
from .quicktime import metadata

PHONE_FOV = 70.0
"""Degrees across the longer side, assumed for a phone whose angle is not known: the median of the iPhones in
`apple_models`."""

OTHER_MODES = "another mode or stabilisation changes it"
"""Words in the source of a camera that is known by its model."""

_ANDROID = b"com.android.version"
_WIDE = 16 / 9  # the shape of the videos whose angles were measured
# Makers of phones who are not known for other cameras, as they write themselves.
_MAKERS = (
    "google",
    "xiaomi",
    "redmi",
    "oneplus",
    "oppo",
    "vivo",
    "realme",
    "huawei",
    "honor",
    "motorola",
    "nothing",
    "fairphone",
)


def read_camera(path: Path, size: tuple[int, int]) -> KnownCamera | None:
    """Return the camera by the phone's model; a `CameraReader`.

    A picture that is less wide than 16:9 is taken to be one whose sides were cut off.
    """
    with suppress(OSError), path.open("rb") as opened:
        file = Mp4(opened)
        make, model = _text(file, "make", "manufacturer"), _text(file, "model")
        known = apple_model(model)
        if known is not None:
            across = max(*size, _WIDE * min(size))
            source = (
                f"{known.name}: {known.angle:g}° across the longer side of 16:9 video, as measured; "
                f"{OTHER_MODES}"
            )
            return KnownCamera(Lens(Intrinsics.from_fov(known.angle, across, size)), source)
        if _is_phone(make, model) or any(True for _ in metadata(file, _ANDROID)):
            name = f" ({' '.join(part for part in (make, model) if part)})" if make or model else ""
            source = f"assumed for a phone{name}: {PHONE_FOV:g}° across the longer side"
            return KnownCamera(Lens(Intrinsics.from_fov(PHONE_FOV, max(size), size)), source)
    return None


def _is_phone(make: str, model: str) -> bool:
    """Whether the maker or the model is known for phones."""
    samsung = make.lower() == "samsung" and model.upper().startswith(("SM-", "GT-", "GALAXY"))
    return model.lower().startswith("iphone") or make.lower() in _MAKERS or samsung


def _text(file: Mp4, *names: str) -> str:
    """The first printable text under these names of QuickTime metadata, then of user data; "" if none."""
    for name in names:
        for value in metadata(file, f".{name}".encode()):
            if isinstance(value, str) and (text := _printable(value)):
                return text
    if file.movie is None:
        return ""
    for box in file.find(b"udta", b"\xa9" + names[0][:3].encode(), within=file.movie):
        text = file.head(box, 64)[4:].decode("utf-8", "ignore")  # after the length and the language
        if text := _printable(text):
            return text
    return ""


def _printable(text: str) -> str:
    """A text without control characters, and without space at its ends."""
    return "".join(c for c in text if c.isprintable()).strip()
