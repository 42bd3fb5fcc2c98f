"""Presses the keys that would change Kafka, and looks for what they would open."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from kafka_ui.endpoints import kafka_of
from kafka_ui.topics import Looking, Topics

CHANGING = ("n", "ctrl+n", "e", "ctrl+e", "ctrl+d")
WITHIN_S = 60


async def pressed() -> None:
    """Until every key was pressed."""
    app = Looking(kafka_of(Path(sys.argv[1])), refresh_interval=0)
    async with app.run_test() as pilot:
        while app.query_one(Topics).current_topic is None:
            await pilot.pause(0.1)
        for key in CHANGING:
            await pilot.press(key)
            await pilot.pause()
            assert len(app.screen_stack) == 1, f"{key} opens {app.screen}"
        # So that the above is not for want of a keyboard.
        await pilot.press("/")
        await pilot.pause()
        assert len(app.screen_stack) == 2, "the filter does not open"


asyncio.run(asyncio.wait_for(pressed(), WITHIN_S))
