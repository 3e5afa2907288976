"""The bar of the media server against Janus, a media server in C: CPU of a stream under the same load, in one run.

Debian's ``janus`` with its plugin videoroom; configuration and log in a folder that goes away. Its API is on loopback,
its media on this machine's own address, for it takes no other. Each side has two connections there, one that sends and
one that receives: that is how its rooms work.
``python -m bench.video_janus PORT ROOMS SECONDS PID`` is the load.
"""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aioice.ice
from aiohttp import ClientSession
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from bench.bar import Bar, Figure, Profile, Skipped
from bench.server import free_port
from bench.video_load import load, sender
from bench.video_media import LEAST, ROOMS, SECONDS, Measured, loaded, once

_PATIENCE = 20.0
_ONLY = ("libjanus_videoroom.so", "libjanus_http.so")
_CONFIGURATION = """general: {{ configs_folder = "{folder}" plugins_folder = "{plugins}"
  transports_folder = "{transports}"
  debug_level = 3 protected_folders = [] }}
media: {{ ipv6 = false }}
nat: {{ ice_lite = true keep_private_host = true full_trickle = false }}
plugins: {{ disable = "{no_plugins}" }}
transports: {{ disable = "{no_transports}" }}
events: {{ broadcast = false }}
"""
_HTTP = """general: {{ json = "compact" base_path = "/janus" http = true port = {port} ip = "127.0.0.1" https = false }}
admin: {{ admin_http = false }}
"""


@contextmanager
def janus() -> Iterator[tuple[int, int]]:
    """(port of its HTTP API, process id). Raises Skipped."""
    program = shutil.which("janus")
    there = next(iter(Path("/usr/lib").glob("*/janus")), None)
    if program is None or there is None:
        raise Skipped("there is no janus (apt-get install janus)")
    with tempfile.TemporaryDirectory(prefix="hearth-bars-") as name:
        port = free_port()
        _configure(Path(name), there, port)
        with (Path(name) / "log").open("wb") as log:
            process = subprocess.Popen([program, "-F", name, "-i", "127.0.0.1"], stdout=log, stderr=log)
        try:
            _answers(port, process, Path(name) / "log")
            yield port, process.pid
        finally:
            process.kill()
            process.wait()


def _configure(folder: Path, there: Path, port: int) -> None:
    plugins, transports = there / "plugins", there / "transports"
    off = [",".join(f.name for f in sorted(d.glob("*.so")) if f.name not in _ONLY) for d in (plugins, transports)]
    text = _CONFIGURATION.format(
        folder=folder, plugins=plugins, transports=transports, no_plugins=off[0], no_transports=off[1]
    )
    (folder / "janus.jcfg").write_text(text)
    (folder / "janus.transport.http.jcfg").write_text(_HTTP.format(port=port))
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")


def _answers(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/janus/info", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise Skipped(f"janus does not start: {log.read_text(errors='replace')[-200:]}")


class Handle:
    """One connection of a participant with the plugin, in a session of its own."""

    def __init__(self, client: ClientSession, port: int) -> None:
        self._client, self._at = client, f"http://127.0.0.1:{port}/janus"
        self._events = self._at

    async def attach(self) -> "Handle":
        session = await self._say({"janus": "create"})
        self._at = self._events = f"{self._at}/{session['data']['id']}"
        handle = await self._say({"janus": "attach", "plugin": "janus.plugin.videoroom"})
        self._at = f"{self._at}/{handle['data']['id']}"
        return self

    async def _say(self, what: dict[str, Any]) -> dict[str, Any]:
        async with self._client.post(self._at, json={**what, "transaction": secrets.token_hex(6)}) as answer:
            said: dict[str, Any] = await answer.json()
        if said["janus"] == "error":
            raise RuntimeError(said["error"]["reason"])
        return said

    async def ask(self, body: dict[str, Any], description: RTCSessionDescription | None = None) -> dict[str, Any]:
        """The answer at once, or the event that it becomes."""
        jsep = {"jsep": {"type": description.type, "sdp": description.sdp}} if description else {}
        said = await self._say({"janus": "message", "body": body, **jsep})
        while said["janus"] != "success" and said["janus"] != "event":
            async with self._client.get(self._events) as answer:
                said = await answer.json()
        if "error" in said["plugindata"]["data"]:
            raise RuntimeError(said["plugindata"]["data"]["error"])
        return said


_FEEDS: dict[int, list[int]] = {}
"""Publishers of a room."""


async def join(client: ClientSession, port: int, room: int, member: str, pictures: list[bytes]) -> object:
    """One more in ``room``; with the second one each receives the other."""
    number, feeds = room + 1, _FEEDS.setdefault(room, [])
    publisher = await Handle(client, port).attach()
    if not feeds:
        await publisher.ask({"request": "create", "room": number, "publishers": 2, "videocodec": "vp8", "bitrate": 0})
    pc = sender(pictures)
    await pc.setLocalDescription(await pc.createOffer())
    asked = {"request": "joinandconfigure", "ptype": "publisher", "room": number}
    said = await publisher.ask(asked, pc.localDescription)
    await pc.setRemoteDescription(RTCSessionDescription(said["jsep"]["sdp"], "answer"))
    end = time.monotonic() + _PATIENCE
    while pc.connectionState != "connected":  # it knows no feed of which nothing can come yet
        if time.monotonic() > end:
            raise RuntimeError(f"no connection to janus: {said['jsep']['sdp']}")
        await asyncio.sleep(0.02)
    feeds.append(said["plugindata"]["data"]["id"])
    return pc, [await receive(client, port, number, feed) for feed in feeds[:2] if len(feeds) == 2]


async def receive(client: ClientSession, port: int, number: int, feed: int) -> object:
    subscriber = await Handle(client, port).attach()
    said = await subscriber.ask({"request": "join", "ptype": "subscriber", "room": number, "streams": [{"feed": feed}]})
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    await pc.setRemoteDescription(RTCSessionDescription(said["jsep"]["sdp"], "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    await subscriber.ask({"request": "start"}, pc.localDescription)
    return pc


def _against(profile: Profile) -> Figure:
    rooms, seconds = profile.size(ROOMS, 2), profile.size(SECONDS, 4)
    if not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=False):
        raise Skipped("janus takes no loopback address, and there is no other")
    with janus() as (port, pid):
        theirs = loaded("bench.video_janus", port, rooms, seconds, pid)
    if theirs.pictures < LEAST:
        raise Skipped(f"the machine is too busy for the load: {theirs.pictures:.0f} of 30 pictures from Janus")
    ours = once("forward", rooms, profile)
    ratio = ours.cpu / theirs.cpu
    said = f"{ours.cpu:.2f} % of a core a stream against {theirs.cpu:.2f} %: {ratio:.2f} times, {rooms} rooms"
    return Figure(said, ratio <= 1.5, (_row("ours", ours), _row("Janus", theirs)))


def _row(name: str, of: Measured) -> str:
    return f"{name}: {of.pictures:.1f} pictures and {of.sound:.1f} packets of sound a second, {of.delay:.2f} ms"


BARS = (Bar("media: CPU of a stream against Janus", "at most 1.5 times", _against, timing=True),)

if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(*map(int, sys.argv[1:5]), join=join))), flush=True)
    os._exit(0)
