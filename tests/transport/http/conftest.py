"""One `fetch` for both transports, so that every contract test runs through each of them."""

import asyncio
from collections.abc import Callable

import pytest

from tokentop.domain.readings import Failure
from tokentop.transport.http import client_blocking as once
from tokentop.transport.http.client_async import Pool
from tokentop.transport.http.messages import Reply, Request

Fetch = Callable[[Request], Reply | Failure]


def pooled_fetch(request: Request) -> Reply | Failure:
    async def ask() -> Reply | Failure:
        pool = Pool()
        try:
            return await pool.fetch(request)
        finally:
            await pool.aclose()

    return asyncio.run(ask())


@pytest.fixture(params=["once", "pooled"])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    return once.fetch if request.param == "once" else pooled_fetch
