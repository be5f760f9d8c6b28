"""`videopose compare`: several motions of one video side by side, and the truth if it is known.

`truth` reads true motion from motion-capture tables and Human3.6M. `align` puts it where the first motion is.
`compare` writes the animation and the page.
"""
