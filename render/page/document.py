"""Build one HTML file that needs no network: modules, styles, data and video are inside it.

A browser does not load JavaScript modules from files beside a page that is itself a file. The modules are
therefore `data:` URLs, and an import map gives each its name. A server gives the same modules the same names
(`import_map_of_server`), so they are written once.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...files import readable_name
from .static_files import static_file, static_modules

# The page may run what is in it, and load nothing. `file:` is for a video beside the page.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data:; "
    "media-src blob: file: 'self'; base-uri 'none'; form-action 'none'"
)
_LIVE_POLICY = _POLICY + "; connect-src 'self'"


@dataclass(frozen=True)
class Library:
    """A library that pages use, as its package publishes it.

    Attributes:
        modules: The text of each module, by the name that others import it with.
        relative: Names that one module of the library uses for another, and the names in `modules`.
        licence: The text of its licence.
    """

    modules: Mapping[str, str]
    relative: Mapping[str, str]
    licence: str

    def with_names(self) -> dict[str, str]:
        """Return the modules; imports by relative names, which `data:` URLs do not have, are replaced."""
        modules = {}
        for name, text in self.modules.items():
            for old, new in self.relative.items():
                text = text.replace(f'"{old}"', f'"{new}"')
            modules[name] = text
        return modules


def build_document(
    *, title: str, data: Mapping[str, Any], library: Library, video: bytes | None = None
) -> str:
    """Return the page of `videopose view` and `videopose compare`.

    Args:
        title: The heading.
        data: From `page_data`.
        library: three.js.
        video: An MP4 file to put into the page; None for none.
    """
    embedded = "" if video is None else _text_element("video-data", base64.b64encode(video).decode())
    return _document(title, "view", data, library, policy=_POLICY, more=embedded)


def build_live_document(*, title: str, data: Mapping[str, Any], library: Library) -> str:
    """Return the page of `videopose live`, which gets its frames from the server that it came from.

    Args:
        title: The heading.
        data: From `skeleton_data`.
        library: three.js.
    """
    return _document(title, "live", data, library, policy=_LIVE_POLICY)


def _document(
    title: str, name: str, data: Mapping[str, Any], library: Library, *, policy: str, more: str = ""
) -> str:
    """Return the page whose HTML, CSS and first module have this name."""
    modules = {**library.with_names(), **static_modules()}
    imports = {name: _data_url(text) for name, text in modules.items()}
    body = static_file(f"{name}.html").replace("{title}", html.escape(readable_name(title)))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            f"<!-- Made by videopose. It contains three.js:\n{library.licence.replace('--', '- -')}-->",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{html.escape(readable_name(title))}</title>",
            f"<style>\n{static_file('page.css')}{static_file(f'{name}.css')}</style>",
            f'<script type="importmap">{_json({"imports": imports})}</script>',
            f"<body>\n{body}",
            _text_element("data", _json(data), "application/json"),
            more,
            f'<script type="module">import "videopose/{name}.js";</script>',
            "</body>",
            "</html>",
            "",
        ]
    )


def import_map_of_server(static: str, library: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the import map of a page whose modules come from a server.

    Args:
        static: The URL of `STATIC`, with a slash at its end.
        library: The URL of each of the library's modules, by the name that others import it with.
    """
    return {"imports": {**library, "videopose/": static}}


def _data_url(text: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


def _text_element(identity: str, text: str, kind: str = "text/plain") -> str:
    return f'<script type="{kind}" id="{identity}">{text}</script>'


def _json(value: Any) -> str:
    """Return JSON that cannot end the element it is in."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
