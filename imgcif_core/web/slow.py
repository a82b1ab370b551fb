"""Connections that send their requests slowly on purpose: they are closed, so that they do not hold all places."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# From the first byte of a request, or from the opening of the connection, to the end of its headers.
HEADER_SECONDS = 20.0


class Protocol(H11Protocol):
    """HTTP/1.1 with an end to the wait for the headers of a request."""

    _headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._headers_are_there()
        elif self._headers_due is None:
            self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._headers_are_there()
        super().connection_lost(exc)

    def _wait_for_headers(self) -> None:
        self._headers_due = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _headers_are_there(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _give_up(self) -> None:
        self._headers_due = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()
