"""What of the tests needs a browser."""

from __future__ import annotations

import pytest

from monitoring.pictures.browser import no_browser_because

# A machine without Chromium runs all the rest; the reason says how to get one.
needs_chromium = pytest.mark.skipif(
    no_browser_because() is not None, reason=no_browser_because() or ""
)
