"""Pages for the browser: pose tables as data for JavaScript, and one self-contained document of them.

`page_data` turns tables into JSON. `document` puts it, modules, styles and a video into one HTML file that
needs no network. The page's own JavaScript, HTML and CSS are the files in `static/`; `scene.js` there is the
3D picture, which other pages can use too.
"""

from __future__ import annotations

from .document import Library, build_document, build_live_document, import_map_of_server
from .page_data import PageVideo, Part, Shown, page_data, shown_part, skeleton_data
from .static_files import STATIC, static_file, static_modules

__all__ = [
    "STATIC",
    "Library",
    "PageVideo",
    "Part",
    "Shown",
    "build_document",
    "build_live_document",
    "import_map_of_server",
    "page_data",
    "shown_part",
    "skeleton_data",
    "static_file",
    "static_modules",
]
