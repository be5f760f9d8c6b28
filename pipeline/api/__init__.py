"""The public functions: the commands for use from Python.

`motion` has `infer`, `detect` and `lift`; `pictures` has `render`, `view` and `compare`; `exports` has
`export` and `angles`; `live` has `live`.
`arguments` checks what programs pass. The package's root hands on the functions, and loads each of these
modules when a name of it is first used.
"""
