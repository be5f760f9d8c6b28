"""Install detectron2, which the Mask R-CNN detector needs, into this Python environment.

A detectron2 that is installed already stays as it is. Otherwise the pinned sdist is fetched, which contains
the Python part of release 0.6. Uses of what PyTorch, NumPy, Pillow and setuptools have removed since are
replaced, and the result is packed as a wheel, which pip installs together with its requirements. So `pip
uninstall detectron2` removes it, installing the official detectron2 replaces it, and `pip check` checks its
requirements.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.metadata
import importlib.util
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ...errors import AssetError
from ..progress import Report
from .registry_packages import PackageError, only_file, pip_command, run_client

SDIST = "pb1-detectron2", "0.6"
SDIST_SHA256 = "5d2e9e51e523ec72f6a31cca04b0a515492e9514b773a3d134cedc0677170b29"
VERSION = "0.6+videopose"

# The packages that the Python part imports, with the version ranges of its setup.py. Packages that are needed
# only to build, export or draw are left out. The upper bound of iopath is dropped, because version 0.1.10
# works.
REQUIREMENTS = (
    "cloudpickle fvcore<0.1.6,>=0.1.5 iopath>=0.1.7 matplotlib omegaconf>=2.1 pillow>=7.1 pycocotools>=2.0.2 "
    "tabulate termcolor>=1.1 torch torchvision tqdm>4.29 yacs>=0.1.8"
).split()

_REPLACEMENTS = (
    (r"\bnp\.(bool|int|float|object)\b", r"\1"),  # removed in NumPy 1.24
    (r"\bImage\.LINEAR\b", "Image.BILINEAR"),  # removed in Pillow 10
    (r"torch\.meshgrid\((\w+, \w+)\)", r'torch.meshgrid(\1, indexing="ij")'),  # PyTorch warns without it
    (r"^import pkg_resources$", "from importlib.resources import files"),  # removed in setuptools 82
    (
        r"pkg_resources\.resource_filename\(\s*(\S+), os\.path\.join\((.*)\)\s*\)",
        r"str(files(\1).joinpath(\2))",
    ),
)


def install(report: Report) -> Path:
    """Install detectron2 unless it is installed, and check that it can be imported. torch keeps its version.

    Args:
        report: Is called with a line if something is fetched.

    Returns:
        The folder of detectron2.

    Raises:
        AssetError: The packages cannot be fetched.
        UsageError: detectron2 is installed but cannot be imported.
    """
    from ...detectors.mask_rcnn.require_detectron2 import require_detectron2

    if importlib.util.find_spec("detectron2") is None:
        report("fetching detectron2 0.6 and what it needs from PyPI, about 10 MB")
        try:
            with tempfile.TemporaryDirectory() as folder:
                _install_wheel(build_wheel(_download_sdist(Path(folder, "sdist")), Path(folder)))
        except PackageError as error:
            raise AssetError(
                f"detectron2 was not installed, because {error}: connect and run "
                "'videopose install detectron2' again, or install it as its own documentation says"
            ) from error
        importlib.invalidate_caches()
    require_detectron2()
    spec = importlib.util.find_spec("detectron2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def build_wheel(sdist: Path, folder: Path) -> Path:
    """Pack the sdist's `detectron2/`, adapted to current libraries, as a wheel in `folder`.

    The compiled part is replaced by an empty module. Rotated boxes, deformable convolutions and the fast COCO
    evaluation (`use_fast_impl`) are missing; keypoints do not need them.

    Returns:
        The wheel's path.
    """
    about = f"detectron2-{VERSION}.dist-info"
    needed = "".join(f"Requires-Dist: {requirement}\n" for requirement in REQUIREMENTS)
    metadata = (
        f"Metadata-Version: 2.1\nName: detectron2\nVersion: {VERSION}\nLicense: Apache-2.0\n"
        f"Summary: The Python part of detectron2 0.6, from {'=='.join(SDIST)}, adapted to current libraries\n"
    )
    contents = dict(_sources(sdist))
    contents["detectron2/_C.py"] = b'"""Stands for the compiled part, which was not built."""\n'
    contents[f"{about}/LICENSE"] = contents.pop("LICENSE")
    contents[f"{about}/METADATA"] = (metadata + needed).encode()
    contents[f"{about}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: videopose\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in contents.items()]
    contents[f"{about}/RECORD"] = "\n".join([*record, f"{about}/RECORD,,", ""]).encode()
    path = folder / f"detectron2-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def _sources(sdist: Path) -> Iterator[tuple[str, bytes]]:
    """Names in the wheel and contents of the package's files and its licence."""
    with tarfile.open(sdist) as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            file = archive.extractfile(member) if member.isreg() else None
            if file is None or not (name == "LICENSE" or name.startswith("detectron2/")):
                continue
            content = file.read()
            if name.endswith(".py"):
                text = content.decode()
                for pattern, replacement in _REPLACEMENTS:
                    text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
                content = text.encode()
            yield name, content


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def _download_sdist(folder: Path) -> Path:
    """Fetch the sdist with pip, which checks the hash before it runs anything of it."""
    folder.mkdir()
    requirements = folder.with_suffix(".txt")
    requirements.write_text(f"{'=='.join(SDIST)} --hash=sha256:{SDIST_SHA256}\n")
    # pip runs the sdist's setup.py to get its name. It imports torch, so build isolation is off.
    _run_pip(
        folder, "download", "--require-hashes", "--requirement", str(requirements), "--dest", str(folder),
        "--no-deps", "--no-binary=:all:", "--no-build-isolation",
    )  # fmt: skip
    return only_file(folder, " ".join(SDIST))


def _install_wheel(wheel: Path) -> None:
    constraint = wheel.with_name("constraint.txt")
    constraint.write_text(f"torch=={importlib.metadata.version('torch')}\n")
    _run_pip(wheel.parent, "install", str(wheel), "--constraint", str(constraint))


def _run_pip(folder: Path, command: str, *arguments: str) -> None:
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar=off", "--retries=1", "--timeout=20"]
    run_client("pip", [*pip_command(), command, *arguments, *quiet], folder, {})
