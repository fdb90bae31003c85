"""Requests as they were read and answers as they are to be written, as plain values."""

import gzip
import json
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qsl, unquote, urlsplit

REASONS = {
    100: "Continue", 103: "Early Hints",
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 207: "Multi-Status",
    301: "Moved Permanently", 302: "Found", 304: "Not Modified",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 411: "Length Required", 416: "Range Not Satisfiable", 417: "Expectation Failed",
    429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


@dataclass
class Request:
    method: str
    target: str
    version: str
    headers: list  # of (name, value) as sent
    body: bytes = b""
    raw_head: bytes = b""

    def header(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path) if self.target != "*" else "*"

    @property
    def query(self) -> list:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def parameter(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key == name), default)

    def form(self) -> dict:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self):
        """The body as JSON, or None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Answer:
    """What goes back. The fields below `trailers` bend the rules on purpose."""

    status: int = 200
    headers: list = field(default_factory=list)  # of (name, value), in order
    body: bytes = b""
    framing: str = "length"  # length, chunked, close (until the connection ends), none
    trailers: list = field(default_factory=list)
    reason: str | None = None  # None: the usual one
    version: str = "HTTP/1.1"
    interim: list = field(default_factory=list)  # of (status, headers)
    chunk_bytes: int = 8192
    chunk_extension: str = ""
    delay_s: float = 0  # before the first byte
    pause_s: float = 0  # after each piece of the body
    cut_after: int | None = None  # close in good order after so many bytes of the body
    reset_after: int | None = None  # reset the connection after so many bytes of the body; -1: before the head
    raw: bytes | None = None  # sent instead of everything else, then the connection ends
    silent: bool = False  # never answer; wait until the client leaves
    close: bool = False  # end the connection afterwards
    compressible: bool = False  # code the body when the request allows it


def date_field() -> tuple:
    return ("Date", formatdate(usegmt=True))


def json_answer(value, status: int = 200, headers: list | None = None) -> Answer:
    """Minified UTF-8 with raw åäö, as the real API sends it."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    fields = [date_field(), ("Content-Type", "application/json; charset=utf-8"), *(headers or [])]
    return Answer(status, fields, body, compressible=True)


def text_answer(text: str, status: int = 200, headers: list | None = None) -> Answer:
    fields = [date_field(), ("Content-Type", "text/plain; charset=utf-8"), *(headers or [])]
    return Answer(status, fields, text.encode())


def empty_answer(status: int, headers: list | None = None) -> Answer:
    framing = "none" if status in (204, 304) or status < 200 else "length"
    return Answer(status, [date_field(), *(headers or [])], framing=framing)


def coded(answer: Answer, accept_encoding: str) -> Answer:
    """Codes the body when it may be and the request asks for it. The same bytes always give the same bytes."""
    if not answer.compressible or not answer.body:
        return answer
    accepted = [part.strip().lower() for part in accept_encoding.split(",")]
    if "gzip" in accepted:
        answer.body, coding = gzip.compress(answer.body, mtime=0), "gzip"
    elif "deflate" in accepted:
        answer.body, coding = zlib.compress(answer.body), "deflate"
    else:
        return answer
    answer.headers += [("Content-Encoding", coding), ("Vary", "Accept-Encoding")]
    return answer
