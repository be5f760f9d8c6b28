import base64
import json
import re

from videopose.render.page import STATIC, Library, build_document, static_modules

LIBRARY = Library(
    {"three": 'import "./core.js";', "three/core": "1", "three/controls": ""},
    {"./core.js": "three/core"},
    "MIT -- ©",
)


def build(**changes: object) -> str:
    return build_document(
        **{"title": "a </title><b>", "data": {"note": "</script>"}, "library": LIBRARY} | changes
    )  # type: ignore[arg-type]


def test_every_module_is_inside_under_the_name_that_others_import() -> None:
    page = build()
    [imports] = re.findall(r'<script type="importmap">(.*?)</script>', page)
    modules = {
        name: base64.b64decode(url.partition(",")[2]).decode()
        for name, url in json.loads(imports)["imports"].items()
    }
    assert modules["three"] == 'import "three/core";'
    assert {name for name in modules if name.startswith("videopose/")} == set(static_modules())
    for name, text in modules.items():
        for wanted in re.findall(r'(?:from|import) "([^"]+)"', text):
            assert wanted in modules, (name, wanted)


def test_texts_cannot_end_the_element_they_are_in() -> None:
    page = build()
    assert "a &lt;/title&gt;&lt;b&gt;" in page
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert json.loads(data) == {"note": "</script>"}
    assert "MIT - - ©" in page


def test_the_video_is_inside() -> None:
    [video] = re.findall(r'id="video-data">(.*?)</script>', build(video=b"film"))
    assert base64.b64decode(video) == b"film"
    assert "video-data" not in build()


def test_the_page_names_every_element_that_its_script_looks_for() -> None:
    script, page = (STATIC / "view.js").read_text(), (STATIC / "view.html").read_text()
    for name in set(re.findall(r'find\("([^"]+)"\)', script)) - {"data", "video-data"}:
        assert f'id="{name}"' in page, name
