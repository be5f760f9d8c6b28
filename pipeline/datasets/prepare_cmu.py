"""`videopose prepare cmu`: CMU's motion capture → a motion-capture table."""

from __future__ import annotations

from pathlib import Path

from ...bounded import read_text
from ...errors import InputError
from ...lifting.datasets import cmu
from ...lifting.datasets.asf_amc import AcclaimSkeleton, load_amc, load_asf
from ...lifting.datasets.bvh import load_bvh
from ..paths import check_free
from ..progress import Progress, ReportError, say
from .checks import OUTPUT_OPTION, check_folder


def prepare_cmu(
    folder: Path,
    output: Path,
    *,
    rate: float = cmu.RATE,
    index: Path | None = None,
    overwrite: bool,
    progress: Progress,
    report_error: ReportError,
) -> list[Path]:
    """Write a motion-capture table of CMU's clips.

    Of a clip that exists as AMC and as BVH, the AMC is read. Clips that show the same motion are kept once.

    Args:
        folder: Holds the clips at any depth: ASF/AMC ("07_01.amc" with "07.asf" beside it) or BVH.
        output: The file to write.
        rate: Frames a second of AMC files.
        index: A text file with the actions of clips, such as `cmu-mocap-index-text.txt`.
        overwrite: Whether an existing result may be replaced.
        progress: Shows the progress.
        report_error: Called for each file that cannot be read.

    Returns:
        The paths that were written.

    Raises:
        InputError: If there is no clip, or no clean one.
        OutputError: If the result exists and may not be replaced.
    """
    check_folder(folder)
    check_free([output], overwrite=overwrite, elsewhere=OUTPUT_OPTION)
    actions = cmu.read_index(read_text(index)) if index else {}
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".amc", ".bvh") and p.is_file())
    if not files:
        raise InputError(f"{folder} holds no .bvh and no .amc files")
    files.sort(key=lambda p: p.suffix.lower() != ".amc")
    skeletons: dict[Path, AcclaimSkeleton] = {}
    clips: dict[str, list[cmu.Clip]] = {}
    with progress("reading motion capture", len(files)) as advance:
        for path in files:
            try:
                name, subject = cmu.clip_name(path.stem)
                if name not in clips:
                    clips[name] = _clean_clips(path, name, subject, rate, skeletons)
            except Exception as error:
                report_error(error)
            advance()
    kept, dropped = cmu.drop_duplicates([c for name in sorted(clips) for c in clips[name]])
    for name, twin in dropped:
        say(f"note: {name} shows the same motion as {twin} and was left out")
    table = cmu.to_table(kept, source=folder.resolve().name, actions=actions)
    table.save(output, notice=cmu.NOTICE)
    say(f"{len(table)} clips of {len(set(table.subjects))} people, {table.minutes:.1f} minutes")
    return [output]


def _clean_clips(
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
