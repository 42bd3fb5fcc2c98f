"""Presses the keys that would change Kafka, and looks for what they would open."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from kafka_ui.endpoints import kafka_of
from kafka_ui.topics import Looking, Topics
from kaskade.admin import FilterTopicsScreen

CHANGING = ("n", "ctrl+n", "e", "ctrl+e", "ctrl+d")
WITHIN_S = 120


async def pressed() -> None:
    """Until every key was pressed, and then one that opens something.

    Keys are taken in their order, and a form that an earlier one had opened would take the last.
    """
    app = Looking(kafka_of(Path(sys.argv[1])), refresh_interval=0)
    async with app.run_test() as pilot:
        topics = app.query_one(Topics)
        while topics.current_topic is None or app.focused is None:
            await pilot.pause(0.1)
        await pilot.press(*CHANGING, "/")
        while not isinstance(app.screen, FilterTopicsScreen):
            await pilot.pause(0.1)
        opened = [type(screen) for screen in app.screen_stack[1:]]
        if opened != [FilterTopicsScreen]:
            raise SystemExit(f"Keys that change Kafka have opened something: {opened}")


asyncio.run(asyncio.wait_for(pressed(), WITHIN_S))
