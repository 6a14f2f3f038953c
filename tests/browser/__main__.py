"""`make browser`: install chromium where it is missing; Debian's package, so it needs root."""

from __future__ import annotations

import sys

from tests import debian
from tests.browser import chromium

if __name__ == "__main__":
    try:
        chromium.install()
    except debian.MissingError as error:
        sys.exit(str(error))
