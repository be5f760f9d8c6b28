"""A program that uses every public name; `test_init.py` has it checked for types, and it is never run."""

from pathlib import Path

import numpy as np

import videopose


def track_people(video: Path) -> videopose.PoseTable:
    try:
        table = videopose.infer(video, people=None, start=1.5, focal_35mm=26, lifter="causal", flip=False)
    except videopose.NoPeopleError as error:
        print(error, error.exit_code)
        found = videopose.detect(video, detector="mask-rcnn", decode="argmax", people=2)
        table = videopose.lift(found, precision="bfloat16", hfov=70.0)
    except (videopose.UsageError, videopose.InputError, videopose.OutputError, videopose.AssetError):
        table = videopose.lift("clip.2d.npz", lifter=Path("my.bin"), lifter_layout="coco17")
    except videopose.VideoposeError as error:
        raise SystemExit(error.exit_code) from error
    videopose.render(table, "clip.mp4", video=video, views=["camera", "70,15"], size=(800, 400))
    table.save(video.with_suffix(".npz"))
    videopose.view(table, "clip.html", video=video, embed=5)
    videopose.compare([table, "other.npz"], "clip.compare.mp4", labels=["a", "b"], view="top", fps=30)
    videopose.export(table, "clip.bvh", names="mixamo", people=1, units="cm")
    return table


def deepest_bend(table: videopose.PoseTable) -> float:
    person: videopose.JointAngles
    bends = []
    for person in videopose.angles(table, filters=["butterworth:6"], fps=50):
        bends.append(person.angles["knee_flexion_left"][person.seen["knee_flexion_left"]].max())
    return float(max(bends))


def lift_again(table: videopose.PoseTable) -> list[videopose.LiftedTrack]:
    lifter: videopose.Lifter = videopose.load_lifter("default")
    skeleton: videopose.Skeleton = lifter.skeleton
    lens: videopose.Lens = table.lens
    print(skeleton.names, lifter.fits(), lens.intrinsics.fx)
    return [
        lifter.lift_track(table.keypoints[rows], table.time[table.frame[rows]], lens=lens, size=table.size)
        for _, rows in table.tracks()
    ]


def lift_live(size: tuple[int, int]) -> float:
    camera: videopose.Intrinsics = videopose.Intrinsics.from_fov(65, size[0], size)
    live = videopose.LiveLifter(videopose.load_lifter("causal"), camera=camera, size=size, people=1)
    pose = live.step(np.zeros((1, 17, 3), np.float32))
    frame: videopose.LiveFrame = live.lift(np.zeros((1, 17, 3), np.float32), time=1 / 30)
    return float(pose[0, 0, 2] + frame.root[0, 2] + frame.confidence[0, 0])


def heights_of_hands(camera: int | str) -> list[float]:
    heights = []
    frame: videopose.LivePoses
    for frame in videopose.live(camera, people=2, hfov=78, precision="bfloat16"):
        first: videopose.LivePerson = frame.people[0]
        heights.append(float(first.pose[16, 1]) + frame.dropped + first.track)
    return heights


def new_model() -> videopose.TemporalModel:
    return videopose.TemporalModel(filter_widths=(3, 3, 3), causal=True)
