"""Pages for the browser.

`view` writes the page of a pose table. `three` fetches the library that draws its 3D.
"""
