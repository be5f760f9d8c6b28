"""Pages for the browser, each in one file: `view` writes that of a pose table."""
