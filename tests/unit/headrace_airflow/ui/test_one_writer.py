"""Requests that write take turns; reading ones and slow senders hold up nobody."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from httpx import ASGITransport, AsyncClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from headrace_airflow.ui.one_writer import OneWriter


@dataclass
class Server:
    """Answers with the request's body, a POST only once it may; keeps how many POSTs were inside at once."""

    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        if scope["method"] == "POST":
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.has_begun.set()
            await self.may_end.wait()
            self.inside -= 1
        await PlainTextResponse(body)(scope, receive, send)


def client(server: Server) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(OneWriter(server)), base_url="http://127.0.0.1")


def test_writing_requests_take_turns_and_reading_ones_pass() -> None:
    async def play() -> None:
        server = Server()
        async with client(server) as http:
            writing = [asyncio.create_task(http.post("/", content=f"run {n}")) for n in range(5)]
            await server.has_begun.wait()
            assert (await http.get("/")).text == ""
            server.may_end.set()
            assert [answer.text for answer in await asyncio.gather(*writing)] == [
                f"run {n}" for n in range(5)
            ]
        assert server.most == 1

    asyncio.run(play())


def test_who_sends_slowly_holds_up_nobody() -> None:
    async def play() -> None:
        server = Server()
        server.may_end.set()
        rest_may_come = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"a half, "
            await rest_may_come.wait()
            yield b"and the rest"

        async with client(server) as http:
            slow = asyncio.create_task(http.post("/", content=slowly()))
            assert (await http.post("/", content="quick")).text == "quick"
            rest_may_come.set()
            assert (await slow).text == "a half, and the rest"

    asyncio.run(play())


def test_who_hangs_up_before_his_turn_does_not_come_in() -> None:
    server = Server()

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def unanswered(_: Message) -> None:
        raise AssertionError("answered nobody")

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(OneWriter(server)(scope, gone, unanswered))
    assert server.most == 0
