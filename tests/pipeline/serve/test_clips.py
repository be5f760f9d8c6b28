from pathlib import Path

import pytest

from videopose.errors import UsageError
from videopose.pipeline.serve.clips import ClipFolder, safe_name


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("clip.MP4", "clip.mp4"),
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("C:\\videos\\a.mov", "a.mov"),
        ("été – 1.mp4", "été _ 1.mp4"),
        ("...mp4.mp4", "mp4.mp4"),
        ("<b>.webm", "b.webm"),
        ("x" * 300 + ".mp4", "x" * 60 + ".mp4"),
        ("?.mp4", "video.mp4"),
        ("clip.mp4/", "clip.mp4"),
    ],
)
def test_names_are_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe


@pytest.mark.parametrize("name", ["", "notes.txt", "clip", "clip.mp4.exe", ".."])
def test_what_is_no_video_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="expected a video"):
        safe_name(name)


def test_clips_are_there_after_a_restart(tmp_path: Path) -> None:
    clips = ClipFolder.open(tmp_path)
    done, cut = clips.new("done.mp4"), clips.new("cut.mp4")
    for clip in (done, cut):
        clips.add(clip)
    people = ({"id": 3, "picture": "person-3.jpg"},)
    assert clips.change(done.id, state="done", people=people, chosen=(3,))
    assert clips.change(cut.id, state="working")
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "clip.json").write_text('{"id": "..", "video": "x"}')
    again = ClipFolder.open(tmp_path)
    assert {clip.video: clip.state for clip in again} == {"done.mp4": "done", "cut.mp4": "failed"}
    found = again.get(done.id)
    assert found is not None
    assert (found.people, found.chosen) == (people, (3,))


def test_only_results_can_be_loaded(tmp_path: Path) -> None:
    clips = ClipFolder.open(tmp_path)
    clip = clips.new("a.mp4")
    clips.add(clip)
    folder = clips.folder(clip)
    for name in "a.mp4 a.npz a.2d.npz a.bvh a.2.bvh a.html log.txt person-0.jpg b.bvh".split():
        (folder / name).touch()
    clips.change(clip.id, people=({"id": 0, "picture": "person-0.jpg"},))
    changed = clips.get(clip.id)
    assert changed is not None
    assert clips.file(changed, "person-0.jpg") == folder / "person-0.jpg"
    assert clips.file(changed, "a.bvh") is None  # not done yet
    clips.change(clip.id, state="done")
    changed = clips.get(clip.id)
    assert changed is not None
    assert clips.downloads(changed) == ["a.2.bvh", "a.bvh", "a.npz"]
    assert clips.page(changed) == "a.html"
    for name in ("a.mp4", "a.2d.npz", "log.txt", "clip.json", "b.bvh", "../x", "", "."):
        assert clips.file(changed, name) is None
    clips.remove(changed)
    assert not folder.exists()
    assert clips.get(clip.id) is None
    assert not clips.change(clip.id, state="done")
