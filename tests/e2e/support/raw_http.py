"""Reads raw HTTP/1.1 answers as bytes, for comparison. A third reading, apart from ours and the stand-in's."""

import gzip
import re
import zlib
from dataclasses import dataclass, field


@dataclass
class Message:
    """One answer as somebody saw it. Texts are Latin-1, so that every byte is kept."""

    status_line: str = ""
    headers: list = field(default_factory=list)  # of (name, value)
    body: bytes = b""
    trailers: list = field(default_factory=list)
    interim: list = field(default_factory=list)  # of (status line, headers)
    error: str | None = None  # what kind of failure took the place of (the rest of) the answer

    @property
    def status(self) -> int:
        return int(self.status_line.split(" ")[1]) if self.status_line else 0

    def header(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def decoded_body(self) -> bytes:
        coding = self.header("Content-Encoding").lower()
        if not self.body or coding not in ("gzip", "deflate"):
            return self.body
        return gzip.decompress(self.body) if coding == "gzip" else zlib.decompress(self.body)


def parse_fields(lines: list) -> list:
    pairs = (line.partition(":") for line in lines if line)
    return [(name, value.strip(" \t")) for name, _, value in pairs]


def parse_head(head: str) -> tuple:
    first, *lines = head.split("\r\n")
    return first, parse_fields(lines)


def parse_answer(raw: bytes, request_method: str = "GET") -> Message:
    """A raw answer with its interim ones. What is missing at the end is an error `cut`."""
    message = Message()
    rest = raw
    while True:
        head, found, rest = rest.partition(b"\r\n\r\n")
        if not found:
            message.error = "cut"
            return message
        message.status_line, message.headers = parse_head(head.decode("latin-1"))
        if not 100 <= message.status < 200:
            break
        message.interim.append((message.status_line, message.headers))
    if request_method == "HEAD" or message.status in (204, 304):
        return message
    if message.header("Transfer-Encoding").lower() == "chunked":
        _parse_chunks(message, rest)
    else:
        message.body = rest
        length = message.header("Content-Length")
        message.error = "cut" if length and len(rest) < int(length) else None
    return message


def _parse_chunks(message: Message, rest: bytes) -> None:
    while True:
        line, found, rest = rest.partition(b"\r\n")
        if not found:
            message.error = "cut"
            return
        size = int(line.partition(b";")[0], 16)
        if size == 0:
            message.trailers = parse_fields(rest.decode("latin-1").split("\r\n"))
            return
        message.body += rest[:size]
        rest = rest[size + 2 :]


def request_line(raw_request: bytes) -> str:
    return raw_request.partition(b"\r\n")[0].decode("latin-1")


def request_field(raw_request: bytes, name: str) -> str | None:
    head = raw_request.partition(b"\r\n\r\n")[0]
    found = re.search(rb"(?im)^" + re.escape(name.encode()) + rb":[ \t]*([^\r\n]*)", head)
    return found[1].decode("latin-1") if found else None
