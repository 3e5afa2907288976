"""Routes of the page, for the application of video.signalling to include.

RFC 9110 (GET and HEAD); statics stand under the digest of them all.
"""

from collections.abc import Sequence

from aiohttp import web

from video.page.rendering import FOR_EVER, GUARDS, digest, headers, page, statics


def routes(frames: Sequence[str] = ()) -> list[web.RouteDef]:
    """GET /visit and its statics; ``frames`` as of rendering.headers."""

    async def visit(request: web.Request) -> web.Response:
        guards = headers(request.host, frames)
        return web.Response(body=page(), content_type="text/html", charset="utf-8", headers=guards)

    return [web.get("/visit", visit), web.get("/visit/static/{digest}/{name}", static)]


async def static(request: web.Request) -> web.Response:
    """Under another digest, of a page that was opened before we were started anew, the file is not kept."""
    found = statics().get(request.match_info["name"])
    if found is None:
        return web.Response(status=404, headers=GUARDS)
    kept = FOR_EVER if request.match_info["digest"] == digest() else "no-store"
    return web.Response(body=found.body, headers=GUARDS | {"Content-Type": found.type, "Cache-Control": kept})
