"""How hypothesis runs here."""

from __future__ import annotations

from hypothesis import settings

# No test fails for being slow: other work on the machine is no fault of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
