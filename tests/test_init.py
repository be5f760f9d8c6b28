import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from walking import table_of, walking

import videopose

ROOT = Path(__file__).parents[1]
DOCUMENTATION = ROOT / "docs" / "api.md"
FUNCTIONS = ["infer", "detect", "lift", "render", "view", "compare", "live", "load_lifter"]
_ROWS = ["track", "frame", "keypoints", "pose", "root", "filled", "time"]


@pytest.fixture(scope="module")
def demo(demo_clip: Path) -> Path:
    return demo_clip


def test_the_public_names() -> None:
    documented = re.findall(r"^::: videopose\.(\w+)$", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(videopose.__all__)
    assert all(getattr(videopose, name) is not None for name in videopose.__all__)
    assert set(videopose.__all__) < set(dir(videopose))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        videopose.nothing  # noqa: B018


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_functions_name_every_option_and_explain_it(name: str) -> None:
    function = getattr(videopose, name)
    explained = inspect.getdoc(function) or ""
    for parameter in inspect.signature(function).parameters.values():
        assert parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        assert parameter.annotation is not parameter.empty
        assert f"\n    {parameter.name}: " in explained
    for section in ("Args", "Raises"):
        assert f"\n{section}:\n" in explained


def test_importing_loads_no_library_and_few_modules() -> None:
    program = (
        "import sys; before = set(sys.modules); import videopose; loaded = set(sys.modules) - before;"
        "print(*sorted(n.partition('.')[0] for n in loaded))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = done.stdout.split()
    assert not {"torch", "numpy", "onnxruntime", "av", "cv2", "scipy", "rich", "click", "pydantic"} & {
        *loaded
    }
    assert loaded.count("videopose") == 1
    assert len(loaded) < 10


def test_the_function_render_is_not_hidden_by_the_folder() -> None:
    program = "import videopose.render.views, videopose; assert 'api' in videopose.render.__module__"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_python_gives_what_the_command_line_writes(
    demo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--end", "0.3", "--no-render", "--focal-35mm", "26", "--no-flip", "-o", str(tmp_path)]
    command = [sys.executable, "-m", "videopose", "infer", str(demo), *words]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    written = videopose.PoseTable.load(tmp_path / "demo.npz")
    monkeypatch.chdir(tmp_path)
    table = videopose.infer(str(demo), end=0.3, focal_35mm=26, flip=False)
    assert isinstance(table, videopose.PoseTable)
    assert capfd.readouterr() == ("", "")
    assert os.listdir(tmp_path) == ["demo.npz"]
    assert len(table) == 9
    for name in _ROWS:
        np.testing.assert_array_equal(getattr(table, name), getattr(written, name), err_msg=name)
    # the file holds the intrinsics as 32-bit numbers
    np.testing.assert_array_equal(table.intrinsics.array(), written.intrinsics.array())
    assert table.size == written.size
    assert table.meta["command"] == "videopose.infer"
    assert {**table.meta, "command": ""} == {**written.meta, "command": ""}


def test_detecting_then_lifting_gives_what_infer_gives(demo: Path, tmp_path: Path) -> None:
    table = videopose.infer(demo, end=0.3, hfov=70)
    found = videopose.detect(demo, end=0.3, hfov=70)
    assert np.isnan(found.pose).all()
    found.save(tmp_path / "found.npz")
    for each in (found, tmp_path / "found.npz", str(tmp_path / "found.npz")):
        lifted = videopose.lift(each)
        np.testing.assert_array_equal(lifted.pose, table.pose)
        np.testing.assert_array_equal(lifted.root, table.root)


def test_rendering_writes_one_file(demo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    table = videopose.infer(demo, end=0.2)
    videopose.render(table, tmp_path / "a.gif", video=demo, views=["top", "70,15"], size=(400, 200))
    assert capfd.readouterr() == ("", "")
    assert os.listdir(tmp_path) == ["a.gif"]
    assert (tmp_path / "a.gif").read_bytes()[:4] == b"GIF8"


def test_a_page_and_a_comparison(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videopose.pipeline.web.three.assets.fetch", lambda name, report: Path(__file__))
    table = table_of({0: walking(12)["joints"]})
    table.save(tmp_path / "a.npz")
    videopose.view(table, tmp_path / "page.html")
    videopose.compare([table, tmp_path / "a.npz"], tmp_path / "two.gif", size=(400, 200))
    videopose.compare([table, table], tmp_path / "two.html", labels=["one", "two"])
    assert capfd.readouterr() == ("", "")
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "page.html", "two.gif", "two.html"]
    assert "<title>page</title>" in (tmp_path / "page.html").read_text("utf-8")
    assert "<title>one · two</title>" in (tmp_path / "two.html").read_text("utf-8")


@pytest.mark.parametrize("options", [{"peple": 2}, {"focal": None}, {"output": "x"}])
def test_an_unknown_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{next(iter(options))}'"):
        videopose.infer("none.mp4", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"focal_px": 1000, "hfov": 60}, "one of --focal-px"),
        ({"focal_px": "long"}, "focal length or angle of view: expected a number, found 'long'"),
        ({"hfov": True}, "expected a number, found True"),
        ({"people": "all"}, "from Python: None"),
        ({"people": True}, "from Python: None"),
        ({"start": "soon"}, "start: expected a number, found 'soon'"),
        ({"end": "late"}, "end: expected a number or None, found 'late'"),
        ({"detector": 3}, "detector: expected a text or None, found 3"),
        ({"detector": "openpose"}, "there is no detector 'openpose'"),
        ({"decode": "mean"}, "--decode takes soft-argmax or argmax, not 'mean'"),
        ({"weights": 3}, "weights: expected a name or path, found 3"),
        ({"flip": "no"}, "flip: expected True or False, found 'no'"),
        ({"lifter": None}, "lifter: expected a name or path, found None"),
        ({"lifter": "best"}, "unknown lifter 'best'"),
        ({"precision": "int8"}, "float32 or bfloat16, not int8"),
        ({"device": None}, "device: expected a text, found None"),
    ],
    ids=str,
)
def test_options_are_checked(demo: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(videopose.UsageError, match=re.escape(message)):
        videopose.infer(demo, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"views": "top"}, "views: expected a list of texts such as 'camera', found 'top'"),
        ({"views": ["below"]}, "camera, turned, side, back, top, or azimuth,elevation"),
        ({"size": (0, 600)}, "size: expected width and height in pixels, found (0, 600)"),
        ({"video": 3}, "video: expected a name or path, found 3"),
        ({"output": 3}, "output: expected a name or path, found 3"),
        ({"output": "a.txt"}, "its name must end in one of"),
        ({"table": 3}, "table: expected a name or path, found 3"),
    ],
    ids=str,
)
def test_options_of_render_are_checked(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    table = videopose.PoseTable(
        track=np.zeros(0, np.int32),
        frame=np.zeros(0, np.int32),
        keypoints=np.zeros((0, 17, 3), np.float32),
        pose=np.zeros((0, 17, 3), np.float32),
        root=np.zeros((0, 3), np.float32),
        filled=np.zeros(0, np.bool_),
        time=np.zeros(1),
        size=(640, 480),
        intrinsics=videopose.Intrinsics.assumed((640, 480)),
    )
    with pytest.raises(videopose.UsageError, match=re.escape(message)):
        videopose.render(**{"table": table, "output": tmp_path / "a.mp4"} | options)


def test_a_missing_file() -> None:
    with pytest.raises(videopose.VideoposeError, match="there is no such file") as caught:
        videopose.infer("none.mp4")
    assert caught.value.exit_code == 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege")
@pytest.mark.slow  # scripts/check runs the first half, with the types of the whole package at hand
def test_a_program_that_uses_every_public_name_passes_a_type_checker(tmp_path: Path) -> None:
    program = Path(__file__).with_name("user_program.py")
    used = set(re.findall(r"\bvideopose\.(\w+)", program.read_text("utf-8")))
    assert used >= set(videopose.__all__)
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import videopose\nvideopose.infer('a.mp4', people='two')\n")
    (tmp_path / "videopose").symlink_to(ROOT, target_is_directory=True)
    settings = [
        "--strict",
        "--follow-imports=silent",  # errors of the program, not of the package
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--cache-dir",
        str(ROOT / ".mypy_cache"),
    ]
    for path, code in ((program, 0), (wrong, 1)):
        done = subprocess.run(
            [sys.executable, "-m", "mypy", *settings, str(path)],
            cwd=tmp_path,
            env=os.environ | {"MYPYPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stdout + done.stderr
    assert 'Argument "people" to "infer" has incompatible type "str"' in done.stdout
