"""Write a file in one step, so that a crash leaves the old content or the new one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from webhook.files.errors import FileError


def replace(path: Path, text: str) -> None:
    """Write a text; what was there keeps its mode, and a link stays one. Raises FileError."""
    target = path.resolve()
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
            Path(name).chmod(mode)
            Path(name).replace(target)
        except OSError:
            Path(name).unlink()
            raise
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise FileError(str(path), f"not written: {reason}", unreadable=True) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
