"""SQLite has one writer, and the requests that write to Airflow's API server take turns.

Airflow commits its audit log on the server's event loop (3.3's `action_logging`: `session.commit()` in an
`async def`). While that waits for SQLite's lock the loop stands still, and with it the commit of the request
that holds the lock: nobody is answered until SQLite gives up. Two runs triggered at once can do it.

A turn ends where the answer begins: by then Airflow has committed (its `SessionDep` has the scope
"function"), and whoever reads the answer slowly holds up nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READING = {"GET", "HEAD", "OPTIONS"}

STRANGERS_BODY = 64 * 2**10
"""Bytes of a request's body that are read before it is asked who sends it: a log-in has a hundred."""

MAX_BODY = 16 * 2**20
"""Bytes of the body of who has logged in; they are held until its turn comes."""

BODY_SECONDS = 60.0
"""In which a body has to arrive."""

TURN_SECONDS = 60.0
"""After which the next one's turn begins all the same; as long as SQLite itself waits for its lock."""


LoggedIn = Callable[[Request], Awaitable[bool]]


async def logged_in(request: Request) -> bool:
    """Whether Airflow knows who sends the request, asked as its own endpoints ask."""
    # Not at the top: the whole API is imported with it, which is there when a server asks.
    from airflow.api_fastapi.core_api.security import bearer_scheme, get_user

    try:
        await get_user(request, None, await bearer_scheme(request))
    except HTTPException:
        return False
    return True


class OneWriter:
    """ASGI middleware: requests that may write go one at a time; those that only read pass."""

    def __init__(self, app: ASGIApp, logged_in: LoggedIn = logged_in) -> None:
        self._app, self._logged_in = app, logged_in
        self._free = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READING:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                arrived = await self._whole(scope, receive)
        except ClientDisconnect:  # nobody is left to be answered
            return
        except TimeoutError:
            await PlainTextResponse("The request's body did not arrive in time", 408)(scope, receive, send)
            return
        except HTTPException as refused:
            await PlainTextResponse(refused.detail, refused.status_code)(scope, receive, send)
            return
        await self._free.acquire()
        turn = _Turn(self._free)

        async def answer(message: Message) -> None:
            turn.end()
            await send(message)

        try:
            await self._app(scope, arrived, answer)
        finally:
            turn.end()

    async def _whole(self, scope: Scope, receive: Receive) -> Receive:
        """The request with its body read to the end, so that a slow sender holds up nobody.

        Raises:
            HTTPException: it is too large, for a stranger or at all.
        """
        request, known = Request(scope, receive), False
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > STRANGERS_BODY and not known:
                known = await self._logged_in(request)
                if not known:
                    raise HTTPException(401, "Log in before you send so much")
            if len(body) > MAX_BODY:
                raise HTTPException(413, "The request's body is too large")
        left: list[Message] = [{"type": "http.request", "body": bytes(body)}]

        async def arrived() -> Message:
            return left.pop() if left else await receive()

        return arrived


class _Turn:
    """One request's turn: it ends once, with the answer, with the request, or after TURN_SECONDS."""

    def __init__(self, taken: asyncio.Lock) -> None:
        self._taken = taken
        self._at_the_latest = asyncio.get_running_loop().call_later(TURN_SECONDS, self.end)
        self._ended = False

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._at_the_latest.cancel()
            self._taken.release()
