"""`videopose.live`, the function."""

from pathlib import Path

import numpy as np
import pytest
import torch

import videopose


def test_live_gives_what_causal_lifting_gives(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    frames = videopose.live(clip, every_frame=True, hfov=70)
    first = next(frames)
    shown = [first, *frames]
    assert capfd.readouterr() == ("", "")
    assert torch.get_num_threads() == threads
    table = videopose.infer(clip, lifter="causal", hfov=70, static_camera=True)
    poses = [frame.people[0].pose for frame in shown]
    np.testing.assert_allclose(poses, table.pose[: len(poses)], atol=1e-5)
    assert [frame.frame for frame in shown] == list(range(len(table)))
    assert first.image.shape[2] == 3
    assert {frame.dropped for frame in shown} == {0}


def test_what_cannot_be_opened_is_said_when_the_first_frame_is_asked_for(tmp_path: Path) -> None:
    frames = videopose.live(tmp_path / "none.mp4")
    with pytest.raises(videopose.InputError, match="there is no such file"):
        next(frames)


def test_a_program_that_stops_early_closes_the_camera(clip: Path) -> None:
    threads = torch.get_num_threads()
    for frame in videopose.live(str(clip), people=2):
        assert frame.people
        break
    assert torch.get_num_threads() == threads
