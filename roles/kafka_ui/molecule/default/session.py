"""Opens a session as a browser does, and waits until a topic is on it."""

from __future__ import annotations

import asyncio
import sys

import aiohttp

ADDRESS, TOPIC = sys.argv[1], sys.argv[2].encode()
WITHIN_S = 60


async def drawn() -> None:
    """Until the topic is drawn."""
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{ADDRESS}ws?width=120&height=40") as session,
    ):
        seen = b""
        async for message in session:
            if message.type == aiohttp.WSMsgType.BINARY:
                seen += message.data
            if TOPIC in seen:
                return
        raise SystemExit(f"The session has ended without the topic: {seen!r}")


asyncio.run(asyncio.wait_for(drawn(), WITHIN_S))
