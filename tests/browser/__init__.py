"""The HTML report in a real browser: Debian's chromium, driven by Playwright, which brings none."""
