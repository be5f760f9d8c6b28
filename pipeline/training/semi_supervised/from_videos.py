"""A user's own videos, beside motion with labels: from the people in them to a lifter and a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from ....errors import InputError, UsageError
from ....files import file_digest
from ....lifting.datasets.motion_capture import MotionCapture
from ....lifting.inference.lifter import Lifter
from ....lifting.inference.pretrained import load_lifter
from ....lifting.simulation.motion_bank import MotionBank
from ....lifting.training.batch import BatchSource
from ....lifting.training.synthetic_batches import SynthesisedBatches
from ....semi.batches import UnlabelledBatches
from ....semi.config import SemiMotionConfig, load_footage_recipe
from ....semi.fine_tuning import Alternating, Answered, SteadyNetworks
from ....semi.labelled import files_of, read_labelled, stand_in
from ....semi.networks import Networks
from ....semi.quality import assess
from ....semi.spans import footage_of, hold_out
from ....skeleton import H36M17
from ....yaml_config import parse_overrides
from ...progress import Stage, say
from .find_people import People
from .options import SemiOptions
from .report import write_report
from .session import Course

_OWN_MOTION = (
    "no labelled motion was given; what the starting lifter says of the footage's own motion, seen by "
    "virtual cameras, stood in for it"
)
_SHAPE = ("filter_widths", "channels", "causal", "dropout", "dense")
_INHERITED = ("speed", "mirror", "tumble", "precision", "bodies", "cameras", "detections")


def learn_from_videos(
    options: SemiOptions,
    recipe: Path,
    output: Path,
    find: Callable[..., People],
    *,
    resume: bool,
    device: str,
    command: str,
    stage: Stage,
) -> Path:
    """Find people, train, and write `lifter.safetensors`, `report.md` and `curves.png` to `output`.

    find: as of `semi_detect.find_people`. Whatever can be wrong with the options is found out before the long
    work. Raises `UsageError` and `InputError`.
    """
    start = load_lifter(options.lifter).to(device)
    if start.layout != H36M17.name or start.model.num_joints_out != len(H36M17):
        raise UsageError(
            f"lifter {options.lifter} reads {start.layout}; learning from footage takes one that reads and "
            f"gives {H36M17.name}"
        )
    # On Human3.6M's screen the two agree; only rays say of other cameras where a joint is.
    start = replace(start, input_space="rays") if start.input_space == "screen" else start
    given = read_labelled(options.labelled) if options.labelled is not None else None
    config = _configured(recipe, options, start)
    people = find(options.unlabelled, output, options.detect)
    learnt, kept = hold_out(people.spans, config.semi.held_out)
    footage = footage_of(learnt, start)
    measured = kept or learnt
    reach = start.model.receptive_field
    short = sum(len(clip) < reach for clip in footage.clips)
    say(f"learning from {len(footage)} tracks, {footage.frames:,} frames at {start.rate or 0:g} fps")
    trust = round(footage.trust, 2)
    if not trust:
        raise InputError("the people in these videos are seen too poorly to learn from; give clearer footage")
    say(f"keypoints are believed to {trust:.0%}, by their scores and by how far the lifter agrees")
    if short:
        say(f"note: {short} of them are shorter than the {reach} frames that the lifter looks at")
    if not kept:
        say("note: no track is long enough to hold a part of it out, so the report measures what was learned")
    own, licence = stand_in(learnt, start), str(start.about.get("licence", ""))
    source = _OWN_MOTION
    if given:
        source, licence = f"motion capture from {Path(options.labelled or '').name}", given[1]
    say(f"labelled half: {source} ({(given[0] if given else own).minutes:.1f} minutes)")

    labelled = "".join(file_digest(file) for file in files_of(options.labelled)) if options.labelled else ""
    made_of = (start.digest(), *people.digests, labelled or "stand-in")
    # A mean by weight does not tell whether all keypoints are good or all are bad.
    semi = config.semi.model_copy(update={"reprojection": config.semi.reprojection * trust})
    config = config.model_copy(update={"footage": made_of, "semi": semi})
    networks = SteadyNetworks.of(start, seed=config.seed, strided=not config.model.dense)
    batches: BatchSource = Answered(_synthesised(own, config), start.model, precision=config.precision)
    if given:
        batches = Alternating(_synthesised(given[0], config), batches)

    def errors(networks: Networks) -> dict[str, float]:
        return {k: round(v, 3) for k, v in asdict(assess(measured, course.lifter(networks))).items()}

    course = Course(
        config,
        networks,
        batches,
        UnlabelledBatches(footage, networks.pose, seed=config.seed + 1),
        H36M17.bones,
        errors,
        start.layout,
        start.rate,
    )
    before = assess(measured, start)
    trained, progress = course.run(output, resume=resume, device=device, stage=stage)
    about = {
        "name": config.name,
        "training_data": [source, f"{len(people.videos)} videos without labels"],
        "licence": licence,
        "acknowledgement": start.about.get("acknowledgement", ""),
        "labelled": source,
        "videos": people.videos,
        "started_from": {"name": options.lifter, "sha256": start.digest(), "about": dict(start.about)},
        "held_out_subjects": start.about.get("held_out_subjects", []) if given is None else [],
        "command": command,
        "config": config.model_dump(mode="json"),
    }
    lifter = course.lifter(trained.cpu(), about)
    result = output / "lifter.safetensors"
    lifter.save(result)
    write_report(
        output,
        before=before,
        after=assess(measured, lifter),
        held_out=bool(kept),
        progress=progress,
        people=people,
        shortest=reach / (start.rate or 30.0),
        about=about,
    )
    return result


def _synthesised(motion: MotionCapture, config: SemiMotionConfig) -> SynthesisedBatches:
    return SynthesisedBatches(MotionBank.build([(motion, 1.0)]), config)


def _configured(recipe: Path, options: SemiOptions, start: Lifter) -> SemiMotionConfig:
    """The recipe over what the starting lifter was trained with."""
    trained = start.about.get("config") or {}
    shape = {name: getattr(start.model, name) for name in _SHAPE}
    below = {
        **{name: trained[name] for name in _INHERITED if name in trained},
        "motions": [{"path": options.labelled.name if options.labelled else "stand-in"}],
        "input_space": start.input_space,
        "rate": start.rate or 30.0,
        "model": shape,
    }
    config = load_footage_recipe(recipe, parse_overrides(options.overrides), below=below)
    if config.model.model_dump() != shape:
        raise UsageError(f"recipe {options.recipe}: the model's shape is the starting lifter's")
    if not config.semi.unlabelled:
        raise UsageError(f"recipe {options.recipe} switches off every loss that footage is learned from")
    return config
