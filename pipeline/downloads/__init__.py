"""Third-party files: pinned, fetched by package clients, checked by hash, cached."""
