"""One `fetch` for both faces of the client, so that every contract test runs through each."""

import asyncio
from collections.abc import Callable

import pytest

from tokentop.domain.readings import Failure
from tokentop.transport.http import client_blocking
from tokentop.transport.http.client_async import Pool
from tokentop.transport.http.messages import Reply, Request

Fetch = Callable[[Request], Reply | Failure]


def fetch_async(request: Request) -> Reply | Failure:
    async def ask() -> Reply | Failure:
        pool = Pool()
        try:
            return await pool.fetch(request)
        finally:
            await pool.aclose()

    return asyncio.run(ask())


@pytest.fixture(params=["blocking", "async"])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    return client_blocking.fetch if request.param == "blocking" else fetch_async
