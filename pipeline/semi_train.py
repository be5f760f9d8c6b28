"""`videopose semi-train`: unlabelled footage beside labelled motion in, a lifter that knows both out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from ..errors import OutputError, UsageError
from ..files import file_digest
from ..lifting.bodies import MotionBank
from ..lifting.checkpoint import Progress
from ..lifting.distributed import joined, place
from ..lifting.evaluation import pool, score
from ..lifting.lifter import Lifter
from ..lifting.motion_batches import SynthesisedBatches
from ..lifting.recorded_batches import RecordedBatches
from ..lifting.recorded_data import data_set, load_recordings, skeleton_of
from ..lifting.recorded_sequences import lift_recorded, recorded_sequences
from ..lifting.shipped import load_lifter
from ..lifting.skeleton import H36M17
from ..lifting.training import BatchSource
from ..semi.batches import UnlabelledBatches
from ..semi.config import (
    AnySemiConfig,
    SemiMotionConfig,
    SemiRecordedConfig,
    load_footage_recipe,
    load_studio_recipe,
)
from ..semi.footage import studio_footage
from ..semi.labelled import read_labelled, stand_in
from ..semi.networks import Networks
from ..semi.quality import assess
from ..semi.spans import footage_of, hold_out
from ..semi.training import train
from .detect import DetectOptions
from .device import choose_device
from .outputs import check_writable
from .progress import Stage, say
from .semi_detect import People, find_people
from .semi_report import write_report
from .train import _draw_curves, _parse, _rounded

RECIPES = Path(__file__).parents[1] / "configs" / "semi"
DEFAULT_RECIPE = "footage"


@dataclass(frozen=True, kw_only=True)
class SemiOptions:
    """What `semi-train` can be told.

    unlabelled: videos, or folders of them; none where the recipe names subjects of a data set instead.
    labelled: what has labels, None for nothing. recipe: a name in configs/semi or a file. overrides: of its
    values. lifter: to start from, as of `load_lifter`; footage only. detect: how people are found.
    """

    unlabelled: tuple[Path, ...] = ()
    labelled: Path | None = None
    recipe: str = DEFAULT_RECIPE
    overrides: tuple[str, ...] = ()
    lifter: str = "default"
    detect: DetectOptions = DetectOptions(people=None)  # noqa: RUF009 (frozen)


@dataclass(frozen=True)
class Course:
    """What is learned from, and what it is measured on.

    measure: the errors of the networks as they are. layout, rate: of the lifter. about: what the lifter's
    file says of all this.
    """

    config: AnySemiConfig
    networks: Networks
    labelled: BatchSource
    unlabelled: UnlabelledBatches | None
    bones: Sequence[tuple[int, int]]
    measure: Callable[[Networks], dict[str, float]] | None
    layout: str
    rate: float | None
    about: Mapping[str, object]

    def lifter(self, networks: Networks, about: Mapping[str, object] | None = None) -> Lifter:
        """The networks, as a lifter."""
        return Lifter(
            networks.pose,
            self.layout,
            self.config.input_space,
            self.rate,
            networks.trajectory,
            about=about or {"config": self.config.model_dump(mode="json")},
        )


def run(
    options: SemiOptions,
    output: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    overwrite: bool = False,
    command: str = "",
    failed: Callable[[Exception], None],
    stage: Stage,
    steps: Stage | None = None,
) -> Path | None:
    """Train and write `lifter.safetensors` and its curves to `output`; of a user's footage also `report.md`,
    and `detections/`, which a second run finds and uses.

    `failed` is told of each video that cannot be used, and the others are. stage: how progress is shown;
    steps: that of training, where it differs. Returns the lifter's path; of
    several processes that `torchrun` started only the first prints, writes and returns one.
    Raises `UsageError` for options that do not go together, `InputError` where nothing is left to learn from,
    and `OutputError` where a lifter is there already and may not be replaced.
    """
    device = choose_device(device)
    result = output / "lifter.safetensors"
    if not overwrite and not resume:
        for path in (result, output / "checkpoint.pt"):
            if path.exists():
                raise OutputError(
                    f"{path} exists; --resume goes on from a checkpoint, --overwrite begins anew"
                )
    check_writable(output)
    recipe = _recipe(options.recipe)
    if options.unlabelled:
        people = partial(find_people, failed=failed, stage=stage)
        return _on_footage(options, recipe, output, people, resume, device, command, steps or stage)
    config = load_studio_recipe(recipe, _parse(options.overrides))
    if options.labelled is None:
        raise UsageError(f"recipe {options.recipe} needs the data set's folder: --labeled FOLDER")
    with joined(device) as device:
        course = _studio(config, options.labelled, device)
        networks, progress = _train(course, output, resume=resume, device=device, stage=steps or stage)
        if place()[0] > 0:
            return None
    errors = progress.history[-1][1] if progress and progress.history else None
    if errors is None and course.measure is not None:
        errors = course.measure(networks)
    course.lifter(networks.cpu(), {**course.about, "held_out_errors_mm": errors}).save(result)
    if progress is not None:
        _draw_curves(output / "curves.png", progress, course.labelled.epoch)
    return result


def _recipe(name: str) -> Path:
    known = sorted(path.stem for path in RECIPES.glob("*.yaml") if not path.stem.endswith("-supervised"))
    if name in known:
        return RECIPES / f"{name}.yaml"
    if Path(name).suffix in (".yaml", ".yml"):
        return Path(name)
    raise UsageError(f"no recipe {name!r}; give a YAML file or one of {', '.join(known)}")


def _train(
    course: Course, output: Path, *, resume: bool, device: str, stage: Stage
) -> tuple[Networks, Progress | None]:
    """The networks and how their training went, None where it was finished before."""
    final: Progress | None = None
    epoch = course.labelled.epoch

    def measured(networks: Networks, step: int) -> dict[str, float]:
        assert course.measure is not None
        errors = course.measure(networks)
        when = f"epoch {step // epoch}" if epoch else f"step {step}"
        say(f"{when}: " + ", ".join(f"{name} {value:g}" for name, value in errors.items()))
        return errors

    with stage("training", course.labelled.steps) as advance:
        done = 0

        def report(progress: Progress) -> None:
            nonlocal final, done
            final = progress
            advance(progress.step - done)  # a resumed run jumps to where it was
            done = progress.step

        networks = train(
            course.config,
            course.networks,
            course.labelled,
            course.unlabelled,
            bones=course.bones,
            folder=output,
            resume=resume,
            device=device,
            report=report,
            measure=measured if course.measure else None,
        )
    return networks, final


def _studio(config: SemiRecordedConfig, folder: Path, device: str) -> Course:
    """Some people of a data set with labels, others without."""
    recordings, semi = config.recordings, config.semi
    train_on, test_on = load_recordings(recordings, folder)
    labelled = sorted({r.subject for r in train_on.recordings})
    measured = sorted({r.subject for r in test_on.recordings}) if test_on else []
    if not semi.subjects:
        raise UsageError("semi.subjects: say whose keypoints stand for unlabelled footage")
    if both := sorted({*semi.subjects} & {*labelled, *measured}):
        raise UsageError(f"semi.subjects: {', '.join(both)} cannot be both unlabelled and labelled")
    without = {"train_subjects": semi.subjects, "test_subjects": (), "subset": 1.0}
    footage = studio_footage(
        load_recordings(recordings.model_copy(update=without), folder)[0], config.input_space, semi
    )
    joints = train_on.layout.num_joints, len(train_on.skeleton)
    strided = config.schedule.chunk == 1 and not config.model.dense
    networks = Networks.fresh(config.model, joints, seed=config.seed, strided=strided)
    layout = skeleton_of(train_on.layout).name
    frames = sum(len(r) for r in train_on.recordings)
    if place()[0] == 0:
        say(f"learning from {frames:,} labelled and {footage.frames:,} unlabelled frames")

    def errors(networks: Networks) -> dict[str, float]:
        assert test_on is not None
        settings = {"config": config.model_dump(mode="json")}
        lifter = Lifter(networks.pose, layout, config.input_space, train_on.rate, about=settings)
        lift = lift_recorded(lifter, flip=recordings.flip, skeleton=test_on.skeleton)
        seen = recorded_sequences(test_on, lifter)
        return _rounded(pool([score(lift, sequence, skeleton=test_on.skeleton) for sequence in seen]))

    return Course(
        config,
        networks,
        RecordedBatches(train_on, config, device=device),
        UnlabelledBatches(
            footage,
            networks.pose,
            chunk=config.schedule.chunk,
            flip=recordings.flip,
            seed=config.seed + 1,
        ),
        train_on.skeleton.bones,
        errors if test_on else None,
        layout,
        train_on.rate,
        {
            "name": config.name,
            "training_data": [f"{recordings.data_set}, {recordings.keypoints} keypoints"],
            "licence": config.licence or data_set(recordings).licence,
            "training_subjects": labelled,
            "unlabelled_subjects": list(semi.subjects),
            "held_out_subjects": measured,
            "measured_with": f"every camera, {recordings.keypoints} keypoints, "
            f"{'with' if recordings.flip else 'without'} flip augmentation, mean over frames",
            "acknowledgement": config.acknowledgement,
            "config": config.model_dump(mode="json"),
        },
    )


def _on_footage(
    options: SemiOptions,
    recipe: Path,
    output: Path,
    find: Callable[..., People],
    resume: bool,
    device: str,
    command: str,
    stage: Stage,
) -> Path:
    """A user's videos, and motion with labels."""
    start = load_lifter(options.lifter)
    if start.layout != H36M17.name or start.model.num_joints_out != len(H36M17):
        raise UsageError(
            f"lifter {options.lifter} reads {start.layout}; learning from footage takes one that reads and "
            f"gives {H36M17.name}"
        )
    given = read_labelled(options.labelled) if options.labelled is not None else None
    config = _footage_config(recipe, options, start)
    people = find(options.unlabelled, output, options.detect)
    learnt, kept = hold_out(people.spans, config.semi.held_out)
    footage = footage_of(learnt, start)
    short = sum(len(clip) < start.model.receptive_field for clip in footage.clips)
    say(f"learning from {len(footage)} tracks, {footage.frames:,} frames at {start.rate or 0:g} fps")
    if short:
        say(f"note: {short} of them are shorter than the lifter's {start.model.receptive_field} frames")
    if not kept:
        say("note: no track is long enough to hold a part of it out, so the report measures what was learned")
    if given is None:
        motion, licence = stand_in(learnt, start), str(start.about.get("licence", ""))
        source = (
            "no labelled motion was given; the footage's own motion stood in for it, as the starting lifter "
            "sees it, with bones that keep their lengths, seen by virtual cameras"
        )
    else:
        motion, licence = given
        source = f"motion capture from {Path(options.labelled or '').name}"
    say(f"labelled half: {source} ({motion.minutes:.1f} minutes)")

    made_of = (start.digest(), *people.digests, _labelled_digest(options))
    config = config.model_copy(update={"footage": made_of})
    strided = not config.model.dense
    networks = Networks.of(start, seed=config.seed, strided=strided)
    course = Course(
        config,
        networks,
        SynthesisedBatches(MotionBank.build([(motion, 1.0)]), config),
        UnlabelledBatches(footage, networks.pose, seed=config.seed + 1),
        H36M17.bones,
        lambda networks: {
            name: round(value, 3)
            for name, value in asdict(assess(kept or learnt, course.lifter(networks))).items()
        },
        start.layout,
        start.rate,
        {},
    )
    before = assess(kept or learnt, start.to(device))
    trained, progress = _train(course, output, resume=resume, device=device, stage=stage)
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
        after=assess(kept or learnt, lifter),
        held_out=bool(kept),
        progress=progress,
        about=about,
    )
    return result


def _labelled_digest(options: SemiOptions) -> str:
    """What the labelled half was read from, as far as it decides the result."""
    path = options.labelled
    if path is None:
        return "stand-in"
    return file_digest(path) if path.is_file() else path.name


def _footage_config(recipe: Path, options: SemiOptions, start: Lifter) -> SemiMotionConfig:
    """The recipe over what the starting lifter was trained with."""
    trained = start.about.get("config") or {}
    kept = ("speed", "mirror", "tumble", "precision", "bodies", "cameras", "detections")
    names = "filter_widths channels causal dropout dense"
    below = {
        **{name: trained[name] for name in kept if name in trained},
        "motions": [{"path": str(options.labelled.name) if options.labelled else "stand-in"}],
        "input_space": "centred" if start.input_space == "centred" else "rays",
        "rate": start.rate or 30.0,
        "model": {name: getattr(start.model, name) for name in names.split()},
    }
    config = load_footage_recipe(recipe, _parse(options.overrides), below=below)
    shape = {name: getattr(start.model, name) for name in names.split()}
    if config.model.model_dump() != shape:
        raise UsageError(f"recipe {options.recipe}: the model's shape is the starting lifter's")
    if not config.semi.unlabelled:
        raise UsageError(f"recipe {options.recipe} switches off every loss that footage is learned from")
    return config
