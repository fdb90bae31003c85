"""Messages that somebody changed a little, and what a cassette says of them."""

import random
import sqlite3
from pathlib import Path

from support.hostile import HOST

# What parsers disagree about, rather than any byte.
INSERTS = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\0", b"\x0b", b"\x7f", b"\xff", b":", b",", b";", b"0", b"00",
    b"-", b"+", b"0x", b"5", b"f", b"x", b'"', b"\\", b"#", b"?", b"/", b"@", b"%00", b"chunked", b"identity",
    b"HTTP/1.0", b"HTTP/1.1", b"\r\nContent-Length: 5", b"\r\nContent-Length: 0", b"\r\nTransfer-Encoding: chunked",
    b"\r\nConnection: close", b"\r\nConnection: Content-Length", b"\r\n A: b", b"\r\nX-A:", b";a=b", b"0\r\n\r\n",
]  # fmt: skip

NEXT = f"GET /next HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
REQUESTS = [
    f"GET /a?b=c&d HTTP/1.1\r\nHost: {HOST}\r\nAccept: */*\r\n\r\n",
    f"GET http://{HOST}/abs HTTP/1.1\r\nHost: {HOST}\r\nX-A: b\r\n\r\n",
    f"POST /l HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
    f"POST /l HTTP/1.1\r\nhost: {HOST}:80\r\nContent-Length: 11\r\n\r\nhello world{NEXT}",
    f"PUT /c HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
    f"POST /t HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n{NEXT}",
    f"HEAD /h HTTP/1.1\r\nHost: {HOST}\r\n\r\n{NEXT}",
    f"POST /o HTTP/1.0\r\nHost: {HOST}\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc{NEXT}",
    f"GET /k HTTP/1.1\r\nHost: {HOST}\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nX-End: \xe9\r\n\r\n",
    f"DELETE /e HTTP/1.1\r\nHost: {HOST}\r\nX-Empty:\r\nX-A: 1\r\nx-a: 2\r\n\r\n{NEXT}{NEXT}",
]
RESPONSES = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
    "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nx-a: 2\r\n\r\n"
    "5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
    "HTTP/1.1 404 Not  Found\r\nX-Empty:\r\nX-A: \xe9\r\n\r\nuntil close",
    "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 500 X\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 1\r\n\r\n.",
]


def mutated(chance: random.Random, seeds: list) -> bytes:
    message = bytearray(chance.choice(seeds).encode("latin-1"))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        _mutate(chance, message)
    return bytes(message)


def _mutate(chance: random.Random, message: bytearray) -> None:
    at = chance.randrange(len(message) + 1)
    end = min(len(message), at + chance.randint(1, 12))
    kind = chance.randrange(6)
    if kind <= 1:
        message[at:at] = chance.choice(INSERTS)
    elif kind == 2 and at < len(message):
        message[at] = chance.choice((chance.randrange(256), message[at] ^ 0x20))
    elif kind == 3 and len(message) > 13:
        del message[at:end]
    elif kind == 4:
        message[at:at] = message[at:end]
    else:
        lines = bytes(message).split(b"\r\n")
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
        message[:] = b"\r\n".join(lines)


def field_list(blob: bytes) -> list:
    """A header list of the cassette, see docs/cassette-format.md."""
    texts, at = [], 0
    while at < len(blob):
        size = shift = 0
        while True:
            byte = blob[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        texts.append(blob[at : at + size].decode("latin-1"))
        at += size
    return list(zip(texts[::2], texts[1::2]))


def kept_exchanges(cassette: Path) -> list:
    """All rows of a cassette as dicts; bodies are below one piece here."""
    bodies = "SELECT first_piece FROM bodies WHERE id = "
    columns = "target, method, state, status, request_headers, request_trailers, response_headers, response_trailers"
    columns += f", ({bodies}request_body) AS sent, ({bodies}response_body) AS received"
    with sqlite3.connect(f"file:{cassette}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lambda raw: raw.decode("latin-1")
        return [dict(row) for row in connection.execute(f"SELECT {columns} FROM exchanges ORDER BY started_number")]
