"""SQLite has one writer, and the requests that write to Airflow's API server take turns.

Airflow commits its audit log on the server's event loop (3.3's `action_logging`: `session.commit()` in an
`async def`). While that waits for SQLite's lock the loop stands still, and with it the commit of the request
that holds the lock: nobody is answered until SQLite gives up. Two runs triggered at once can do it.
"""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READING = {"GET", "HEAD", "OPTIONS"}


class OneWriter:
    """ASGI middleware: requests that may write go one at a time; those that only read pass."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READING:
            await self._app(scope, receive, send)
            return
        try:
            arrived = await _whole(scope, receive)
        except ClientDisconnect:  # nobody is left to be answered
            return
        async with self._turn:
            await self._app(scope, arrived, send)


async def _whole(scope: Scope, receive: Receive) -> Receive:
    """The request with its body read to the end, so that a slow sender holds up nobody else."""
    body: list[Message] = [{"type": "http.request", "body": await Request(scope, receive).body()}]

    async def arrived() -> Message:
        return body.pop() if body else await receive()

    return arrived
