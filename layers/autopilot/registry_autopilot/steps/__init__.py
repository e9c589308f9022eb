"""The steps of converge, one module each: resolve, find, write, sync, tell."""
