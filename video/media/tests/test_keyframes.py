"""Requests for key frames are gathered, and the last one is never forgotten."""

import asyncio

from video.media.keyframes import PAUSE, KeyFrames


def test_who_asks_in_the_pause_is_served_after_it() -> None:
    async def body() -> None:
        asked: list[float] = []
        loop = asyncio.get_running_loop()
        frames = KeyFrames(lambda: asked.append(loop.time()))
        for _ in range(5):
            frames.want()
        assert len(asked) == 1
        while len(asked) < 2:
            await asyncio.sleep(0.01)
        assert asked[1] - asked[0] >= PAUSE * 0.99
        frames.want()
        frames.stop()
        await asyncio.sleep(PAUSE * 1.1)
        assert len(asked) == 2

    asyncio.run(body())
