"""`make browser`: install chromium where it is missing; Debian's package, so it needs root."""

from __future__ import annotations

from tests.browser import chromium

if __name__ == "__main__":
    chromium.install()
