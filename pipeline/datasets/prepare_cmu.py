"""`videopose prepare`: data sets as their makers publish them in, the files that readers here expect out."""

from __future__ import annotations

from pathlib import Path

from ...errors import InputError
from ...lifting.datasets import cmu
from ...lifting.datasets.asf_amc import AcclaimSkeleton, load_amc, load_asf
from ...lifting.datasets.bvh import load_bvh
from ..paths import check_free
from ..progress import Stage, say
from .common import _ELSEWHERE, Failed, _check_folder


def prepare_cmu(
    folder: Path,
    output: Path,
    *,
    rate: float = cmu.RATE,
    index: Path | None = None,
    overwrite: bool,
    stage: Stage,
    failed: Failed,
) -> list[Path]:
    """CMU's clips, ASF/AMC or BVH, anywhere under `folder` → a motion-capture table.

    An `07_01.amc` needs its `07.asf` beside it. Of a clip that is there as both, the AMC is read. Clips that
    show the same motion are kept once. rate: of AMC files, frames a second. index: a text file that says what
    clips show, such as `cmu-mocap-index-text.txt`. Returns what it wrote.
    Raises `InputError` where there is no clip, or none clean, and `OutputError` where the result exists and
    may not be replaced.
    """
    _check_folder(folder)
    check_free([output], overwrite=overwrite, elsewhere=_ELSEWHERE)
    actions = cmu.read_index(_text(index)) if index else {}
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".amc", ".bvh") and p.is_file())
    if not files:
        raise InputError(f"{folder} holds no .bvh and no .amc files")
    files.sort(key=lambda p: p.suffix.lower() != ".amc")
    skeletons: dict[Path, AcclaimSkeleton] = {}
    clips: dict[str, list[cmu.Clip]] = {}
    with stage("reading motion capture", len(files)) as advance:
        for path in files:
            try:
                name, subject = cmu.clip_name(path.stem)
                if name not in clips:
                    clips[name] = _cmu_clips(path, name, subject, rate, skeletons)
            except InputError as error:
                failed(error)
            advance()
    kept, dropped = cmu.drop_duplicates([c for name in sorted(clips) for c in clips[name]])
    for name, twin in dropped:
        say(f"note: {name} shows the same motion as {twin} and was left out")
    table = cmu.to_table(kept, source=folder.resolve().name, actions=actions)
    table.save(output, notice=cmu.NOTICE)
    say(f"{len(table)} clips of {len(set(table.subjects))} people, {table.minutes:.1f} minutes")
    return [output]


def _cmu_clips(
    path: Path, name: str, subject: str, rate: float, skeletons: dict[Path, AcclaimSkeleton]
) -> list[cmu.Clip]:
    if path.suffix.lower() == ".bvh":
        motion = load_bvh(path, unit=cmu.UNIT)
    else:
        asf = path.with_name(f"{subject}.asf")
        if asf not in skeletons:
            skeletons[asf] = load_asf(asf)
        motion = load_amc(path, skeletons[asf], rate=rate)
    try:
        return cmu.clean_clips(motion, name, subject)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
