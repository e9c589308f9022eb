"""What a person did wrong: told in one line, exit code 64."""


class UsageError(Exception):
    """Raised when a file or an option cannot be used; names it, the place in it and the remedy, never a secret."""
