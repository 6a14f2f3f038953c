"""What can be wrong with a file: always the file, the line where there is one, and the fix."""

from __future__ import annotations


class FileError(ValueError):
    """A file that cannot be used. `unreadable` tells that it could not be looked at at all."""

    def __init__(
        self,
        file: str,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        fix: str | None = None,
        unreadable: bool = False,
    ) -> None:
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        super().__init__(f"{place}: {message}" + (f"\n  fix: {fix}" if fix else ""))
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.fix = fix
        self.unreadable = unreadable


class ForeignError(FileError):
    """A document that has nothing to do with Kubernetes: it names neither version nor kind."""
