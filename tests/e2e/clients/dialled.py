"""A resolver of a program's own: where $DIAL is given, an address with a port, that is what every name stands for."""

import os
import socket

_resolve = socket.getaddrinfo


def target() -> tuple | None:
    host, colon, port = os.environ.get("DIAL", "").rpartition(":")
    return (host, int(port)) if colon else None


def redirect_names() -> None:
    """For libraries that resolve names through the standard library."""
    if target():
        host, port = target()
        socket.getaddrinfo = lambda _host, _port, *more, **named: _resolve(host, port, *more, **named)
