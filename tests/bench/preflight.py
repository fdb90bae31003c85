"""What is asked of the servers before any load: the right bodies, the cipher, and whether TLS sessions are resumed."""

import http.client
import socket
import ssl
import urllib.parse
from pathlib import Path

from subjects import BODY_BYTES, Subject, Tapedeck


def write_bodies(folder: Path, count: int) -> list[bytes]:
    items = folder / "items"
    items.mkdir(parents=True)
    bodies = []
    for number in range(count):
        start = f'{{"companyId":"{5500000000 + number}","companyName":"Exempelbolaget {number} AB","note":"'
        body = (start + "x" * (BODY_BYTES - len(start) - 2) + '"}').encode()
        (items / str(number)).write_bytes(body)
        bodies.append(body)
    return bodies


def record_items(tapedeck: Tapedeck, upstream: Subject, count: int, cassette: Path) -> None:
    """Records each path once, as any client would."""
    with tapedeck.record(cassette, upstream.urls["plain"], core=None) as recorder:
        fetch_all(recorder.urls["plain"], count)


def fetch_all(url: str, count: int) -> list[bytes]:
    """Every body in order, over one connection; anything but 200 is an error."""
    connection = _connect(url)
    bodies = []
    for number in range(count):
        connection.request("GET", f"/items/{number}")
        response = connection.getresponse()
        bodies.append(response.read())
        if response.status != 200:
            raise RuntimeError(f"{url}/items/{number} answered {response.status}: {bodies[-1][:300]!r}")
    connection.close()
    return bodies


def compare_answers(subject: Subject, bodies: list[bytes]) -> None:
    for url in subject.urls.values():
        if fetch_all(url, len(bodies)) != bodies:
            raise RuntimeError(f"{subject.name} does not serve the bodies that were put in, at {url}")


def negotiated_cipher(url: str) -> str:
    connection = _connect(url)
    connection.connect()
    name, version, _ = connection.sock.cipher()
    connection.close()
    return f"{version} {name}"


def resumed_handshakes(url: str, version: ssl.TLSVersion, count: int) -> int:
    """Of that many connections, each with the session of the one before it, how many were resumed."""
    context = _trusting_context()
    context.minimum_version = context.maximum_version = version
    parts = urllib.parse.urlsplit(url)
    session, resumed = None, 0
    for _ in range(count + 1):
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=parts.hostname, session=session) as connection:
                request = f"GET /items/0 HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
                connection.sendall(request.encode())
                while connection.recv(65536):
                    pass
                resumed += connection.session_reused
                session = connection.session  # With TLS 1.3 it comes after the handshake, before the answer.
    return resumed


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=10, context=_trusting_context())


def _trusting_context() -> ssl.SSLContext:
    # The certificates are throw-away ones; what is measured here is not trust.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
