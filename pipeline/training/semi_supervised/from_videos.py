"""Train a lifter on a user's own videos and on labeled motion, and write a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ....errors import InputError, UsageError
from ....files import file_digest
from ....lifting.datasets.motion_capture import MotionCapture
from ....lifting.inference.lifter import Lifter
from ....lifting.inference.pretrained import load_lifter
from ....lifting.simulation.motion_bank import MotionBank
from ....lifting.training.batch import BatchSource
from ....lifting.training.lifter_training import has_strided_form
from ....lifting.training.synthetic_batches import SynthesisedBatches
from ....semi.batches import UnlabeledBatches
from ....semi.config import SemiVideosConfig, load_videos_recipe
from ....semi.distillation import AlternatingBatches, DistillationBatches, simulation_of
from ....semi.footage import Footage
from ....semi.labeled_motion import labeled_files, read_labeled
from ....semi.networks import FineTunedNetworks, PoseAndTrajectory
from ....semi.own_motion import own_motion
from ....semi.quality import assess
from ....semi.spans import footage_of, hold_out
from ....skeleton import H36M17
from ....yaml_config import parse_overrides
from ...inference.notes.flips import say_without_flips
from ...progress import Progress, say
from ..output_folder import LIFTER
from .find_people import People
from .options import SemiOptions
from .report import write_report
from .session import SemiSession

_OWN_MOTION = (
    "no labeled motion was given; the motion in the videos, as the starting lifter sees it, was used "
    "instead, seen by random cameras"
)


def train_on_videos(
    options: SemiOptions,
    recipe: Path,
    output: Path,
    find: Callable[..., People],
    *,
    resume: bool,
    device: str,
    command: str,
    progress: Progress,
) -> Path:
    """Find people, train, and write `lifter.safetensors`, `report.md` and `curves.png` to `output`.

    Errors in the options are reported before the long work begins.

    Args:
        options: What the user asked for.
        recipe: The recipe's file.
        output: The folder to write to.
        find: Function that finds the people in videos; see `find_people.find_people`.
        resume: Whether to go on from the checkpoint in `output`.
        device: "cpu", "cuda", …
        command: The command line, for the lifter's file.
        progress: How the training's progress is shown.

    Raises:
        UsageError: The options do not go together.
        InputError: There is nothing to learn from, or to resume.
    """
    start = _starting_lifter(options).to(device)
    labeled = _LabeledMotion.read(options.labeled)
    config = _configured(recipe, options, start)
    people = find(options.unlabeled, output, options.detect)
    to_learn, to_measure = hold_out(people.spans, config.semi.held_out)
    held_out = bool(to_measure)
    footage = footage_of(to_learn, start)
    trust = _describe_footage(footage, start, held_out=held_out)
    own = own_motion(to_learn, start)
    minutes = (labeled.motion or own).minutes
    say(f"labeled half: {labeled.source} ({minutes:.1f} minutes)")

    # Losses are weighted means, so they do not depend on the mean weight of all keypoints.
    semi = config.semi.model_copy(update={"reprojection": config.semi.reprojection * trust})
    material = (start.digest(), *people.digests, labeled.digest or "stand-in")
    config = config.model_copy(update={"material": material, "semi": semi})
    networks = FineTunedNetworks.from_lifter(start, seed=config.seed, strided=has_strided_form(config))
    measured = to_measure or to_learn

    def measure(networks: PoseAndTrajectory) -> dict[str, float]:
        return {k: round(v, 3) for k, v in asdict(assess(measured, session.lifter(networks))).items()}

    session = SemiSession(
        config=config,
        networks=networks,
        labeled=_labeled_batches(labeled.motion, own, config, start),
        unlabeled=UnlabeledBatches(footage, networks.pose, seed=config.seed + 1),
        measure=measure,
        layout=start.layout,
        rate=start.rate,
    )
    before = assess(measured, start)
    trained, state = session.train(output, resume=resume, device=device, progress=progress)
    about = {
        "name": config.name,
        "training_data": [*labeled.training_data, f"{len(people.videos)} videos without labels"],
        "licence": labeled.licence or str(start.about.get("licence", "")),
        "acknowledgement": start.about.get("acknowledgement", ""),
        "labeled": labeled.source,
        "videos": people.videos,
        "started_from": {"name": options.lifter, "sha256": start.digest(), "about": dict(start.about)},
        "held_out_subjects": start.about.get("held_out_subjects", []) if labeled.motion is None else [],
        "command": command,
        "config": config.model_dump(mode="json"),
    }
    lifter = session.lifter(trained.cpu(), about)
    lifter.save(output / LIFTER)
    write_report(
        output,
        before=before,
        after=assess(measured, lifter),
        held_out=held_out,
        state=state,
        people=people,
        shortest=start.model.receptive_field / (start.rate or 30.0),
        about=about,
    )
    return output / LIFTER


def _starting_lifter(options: SemiOptions) -> Lifter:
    start = load_lifter(options.lifter)
    if start.layout != H36M17.name or start.model.num_joints_out != len(H36M17):
        raise UsageError(
            f"lifter {options.lifter} reads {start.layout}; learning from footage takes one that reads and "
            f"gives {H36M17.name}"
        )
    say_without_flips(start, str(options.lifter), learns=True)
    # For Human3.6M's cameras, rays and screen coordinates are nearly equal. For other cameras, only rays are
    # correct.
    return replace(start, input_space="rays") if start.input_space == "screen" else start


@dataclass(frozen=True)
class _LabeledMotion:
    """Labeled motion, if any was given.

    Attributes:
        motion: The motion; None if none was given.
        source: What it is, in words.
        training_data: The same for the lifter's file, with the names of files, by which `evaluate` finds
            them.
        licence: Its licence, in words.
        digest: Hashes of its files.
    """

    motion: MotionCapture | None
    source: str
    training_data: Sequence[str]
    licence: str
    digest: str

    @classmethod
    def read(cls, path: Path | None) -> _LabeledMotion:
        if path is None:
            return cls(None, _OWN_MOTION, (_OWN_MOTION,), "", "")
        motion, licence = read_labeled(path)
        files = labeled_files(path)
        source = f"motion capture from {path.name}"
        digest = "".join(file_digest(file) for file in files)
        return cls(motion, source, [file.name for file in files], licence, digest)


def _describe_footage(footage: Footage, start: Lifter, *, held_out: bool) -> float:
    """Print the amount of footage, and return the mean weight of its keypoints."""
    reach = start.model.receptive_field
    short = sum(len(span) < reach for span in footage.spans)
    say(f"learning from {len(footage)} tracks, {footage.frames:,} frames at {start.rate or 0:g} fps")
    trust = round(footage.mean_weight, 2)
    if not trust:
        raise InputError("the people in these videos are seen too poorly to learn from; give clearer footage")
    say(f"keypoints are trusted to {trust:.0%}, by their scores and by how far the lifter agrees")
    if short:
        say(f"note: {short} of them are shorter than the {reach} frames that the lifter looks at")
    if not held_out:
        say("note: no track is long enough to hold a part of it out, so the report measures what was learned")
    return trust


def _labeled_batches(
    given: MotionCapture | None, own: MotionCapture, config: SemiVideosConfig, start: Lifter
) -> BatchSource:
    """Return batches of distillation on the videos' own motion, alternating with labeled motion, if given."""

    def synthesised(motion: MotionCapture) -> SynthesisedBatches:
        return SynthesisedBatches(MotionBank.build([(motion, 1.0)]), config)

    known = DistillationBatches(synthesised(own), start.model, precision=config.precision)
    return AlternatingBatches(synthesised(given), known) if given else known


def _configured(recipe: Path, options: SemiOptions, start: Lifter) -> SemiVideosConfig:
    """Return the recipe, with the starting lifter's training configuration as defaults."""
    defaults = simulation_of(start)
    config = load_videos_recipe(recipe, parse_overrides(options.overrides), defaults=defaults)
    if config.model.model_dump() != defaults["model"]:
        raise UsageError(f"recipe {options.recipe}: the model's shape is the starting lifter's")
    if not config.semi.uses_unlabeled:
        raise UsageError(f"recipe {options.recipe} switches off every loss that footage is learned from")
    return config
