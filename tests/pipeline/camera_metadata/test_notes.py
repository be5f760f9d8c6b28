import pytest

from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.pipeline.camera_metadata.focal_length import FocalLength, camera_of
from videopose.pipeline.camera_metadata.notes import angle_of_view, camera_notes

SIZE = (1920, 1080)


def notes(focal: FocalLength, size: tuple[int, int] = SIZE) -> list[str]:
    camera, source = camera_of(focal, size)
    return camera_notes("clip.mp4", source, camera, size, camera_file="clip.camera.json")


def test_the_angle_is_across_the_longer_side() -> None:
    assert angle_of_view(Intrinsics.from_fov(70, 1920, SIZE), SIZE) == pytest.approx(70)
    assert angle_of_view(Intrinsics.from_fov(70, 1920, (1080, 1920)), (1080, 1920)) == pytest.approx(70)


def test_a_stated_value_is_said_as_an_angle() -> None:
    said = "clip.mp4: camera --focal-35mm 26, which is 78.1° across the longer side"
    assert notes(FocalLength(mm35=26), (1920, 800)) != [said]
    assert notes(FocalLength(mm35=26)) == [said.replace("78.1", "71.9")]
    assert notes(FocalLength(hfov=40), (1080, 1920)) == [
        "clip.mp4: camera --hfov 40, which is 65.8° across the longer side"
    ]


@pytest.mark.parametrize(
    ("focal", "angle", "way_out"),
    [
        (FocalLength(hfov=1.05), "1.05", "--hfov takes degrees; 1.05 radians are --hfov 60.2"),
        (FocalLength(hfov=4.9), "4.9", "--focal-px, --focal-35mm or --hfov replace it"),
        (FocalLength(hfov=160), "160", "--focal-px, --focal-35mm or --hfov replace it"),
        (
            FocalLength(mm35=1500),
            "1.44",
            "--focal-35mm takes millimetres; a focal length in pixels is --focal-px 1500",
        ),
        (FocalLength(pixels=26), "177", "--focal-px takes pixels; a 35 mm equivalent is --focal-35mm 26"),
    ],
)
def test_values_that_cannot_be_meant(focal: FocalLength, angle: str, way_out: str) -> None:
    (said,) = notes(focal)
    _, source = camera_of(focal, SIZE)
    assert said == (
        f"warning: clip.mp4: camera {source}, which is {angle}° across the longer side; "
        f"expected 5 to 150°. {way_out}"
    )


@pytest.mark.parametrize("degrees", [5.1, 60, 149])
def test_possible_angles_give_no_warning(degrees: float) -> None:
    assert not any("warning" in line for line in notes(FocalLength(hfov=degrees)))


def test_a_camera_file_is_checked_too() -> None:
    (said,) = camera_notes(
        "clip.mp4", "clip.camera.json", Intrinsics.centred(26, SIZE), SIZE, camera_file=None
    )
    assert said.startswith("warning: clip.mp4: camera clip.camera.json, which is 177°")
    assert camera_notes("clip.mp4", "clip.camera.json", Intrinsics.centred(1500, SIZE), SIZE) == []


def test_an_assumed_camera_is_said() -> None:
    (said,) = notes(FocalLength())
    assert said == (
        "note: camera assumed: 60° across the longer side; --focal-px, --focal-35mm or --hfov would tell, "
        "or a clip.camera.json beside it"
    )
