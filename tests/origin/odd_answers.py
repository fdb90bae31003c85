"""Answers under /__stand_in/ that no API documents and every network has."""

import hashlib
import json
import re
import threading

from echo import EchoAnswers
from messages import Answer, Request, date_field, empty_answer, json_answer, text_answer

PREFIX = "/__stand_in/"


class OddAnswers:
    def __init__(self):
        self._lock = threading.Lock()
        self._counters = {}
        self._echoes = EchoAnswers()

    def answer(self, request: Request) -> Answer:
        name, _, rest = request.path[len(PREFIX) :].partition("/")
        handler = getattr(self, "_" + name.replace("-", "_"), None)
        if handler is None:
            return text_answer(f"There is no {PREFIX}{name}\n", 404)
        return handler(request, rest)

    def _echo(self, request: Request, rest: str) -> Answer:
        return self._echoes.answer(request, rest)

    # Well-formed, if seldom seen.

    def _unique(self, request: Request, name: str) -> Answer:
        """A body that follows from its name alone, so that a test can tell a whole one from a damaged one."""
        return text_answer(unique_body(name))

    def _counter(self, request: Request, name: str) -> Answer:
        with self._lock:
            self._counters[name] = count = self._counters.get(name, 0) + 1
        return json_answer({"count": count, "name": name})

    def _early_hints(self, request: Request, rest: str) -> Answer:
        answer = text_answer("after two hints\n")
        answer.interim = [(103, [("Link", "</a.css>; rel=preload")]), (103, [("Link", "</b.css>; rel=preload")])]
        return answer

    def _until_close(self, request: Request, rest: str) -> Answer:
        answer = text_answer("ends when the connection does\n" * 40)
        answer.framing = "close"
        return answer

    def _http10(self, request: Request, rest: str) -> Answer:
        answer = text_answer("an old answer\n")
        answer.version, answer.framing = "HTTP/1.0", "close"
        return answer

    def _http10_length(self, request: Request, rest: str) -> Answer:
        answer = text_answer("an old answer of known length\n")
        answer.version, answer.close = "HTTP/1.0", True
        return answer

    def _cookies(self, request: Request, rest: str) -> Answer:
        answer = text_answer("two cookies\n")
        answer.headers += [
            ("Set-Cookie", "session=stand-in-cookie-value-1; Path=/; HttpOnly"),
            ("X-Between", "one"),
            ("Set-Cookie", "tracking=stand-in-cookie-value-2; Secure"),
        ]
        return answer

    def _header_case(self, request: Request, rest: str) -> Answer:
        fields = [("dATE", date_field()[1]), ("x-lower", "a"), ("X-UPPER", "B"), ("X-lower", "c"), ("X-Empty", "")]
        fields += [("X-Spaces", "one  two"), ("X-Latin", "Bl\xe5b\xe4r"), ("content-type", "text/plain")]
        return Answer(200, fields, b"odd names\n")

    def _large_head(self, request: Request, rest: str) -> Answer:
        return text_answer("forty fields\n", headers=[(f"X-Field-{n}", "v" * 300) for n in range(40)])

    def _served_otherwise(self, request: Request, rest: str) -> Answer:
        """Fields that only make sense between us and the real host."""
        headers = [("Strict-Transport-Security", "max-age=31536000"), ("Alt-Svc", 'h3=":443"; ma=3600')]
        headers += [("Keep-Alive", "timeout=5"), ("X-Kept", "yes")]
        return text_answer("kept apart\n", headers=headers)

    def _reason(self, request: Request, kind: str) -> Answer:
        answer = text_answer(f"reason {kind}\n")
        answer.reason = {"empty": "", "own": "Alles i sin ordning"}.get(kind)
        return answer

    def _status(self, request: Request, code: str) -> Answer:
        if code in ("204", "205", "304"):
            return empty_answer(int(code), [("X-Kept", "yes")])
        return text_answer(f"status {code}\n", int(code))

    def _things(self, request: Request, name: str) -> Answer:
        """PUT, PATCH and DELETE, with bodies."""
        if request.method == "DELETE":
            return empty_answer(204, [("X-Deleted-Bytes", str(len(request.body)))])
        digest = hashlib.sha256(request.body).hexdigest()
        return json_answer({"bytes": len(request.body), "method": request.method, "name": name, "sha256": digest}, 201)

    def _expectation(self, request: Request, rest: str) -> Answer:
        return json_answer({"bytes": len(request.body), "expect": request.header("Expect")})

    def _chunks(self, request: Request, kind: str) -> Answer:
        announced = [("Trailer", "X-Sum")] if kind == "trailer" else []
        answer = text_answer("small pieces of a body: åäö\n", headers=announced)
        answer.framing, answer.chunk_bytes, answer.chunk_extension = "chunked", 3, ';note="x"'
        if kind == "trailer":
            answer.trailers = [("X-Sum", "17"), ("X-Sum", "18"), ("x-Other", "last")]
        if kind == "empty":
            answer.body = b""
        return answer

    def _big(self, request: Request, size: str) -> Answer:
        piece = hashlib.sha512(size.encode()).digest()
        body = (piece * (int(size) // len(piece) + 1))[: int(size)]
        return Answer(200, [date_field(), ("Content-Type", "application/octet-stream")], body)

    def _token_in(self, request: Request, kind: str) -> Answer:
        """An answer with a secret that sits where it usually does, in a shape of its own."""
        if kind == "redirect":
            query = "code=4%2Fauthorisation-code-9x&state=s1&access_token=leaked-token-value-77"
            return empty_answer(302, [("Location", "https://client.example/cb?" + query)])
        items = [{"api_key": "key-å-12345678"}]
        value = {"access_token": "an-access-token-0123456789", "code": "ADDRESS", "items": items}
        answer = json_answer(value)
        answer.compressible = kind == "gzip"
        return answer

    # Slow.

    def _slow(self, request: Request, milliseconds: str) -> Answer:
        answer = text_answer(f"after {milliseconds} ms\n")
        answer.delay_s = int(milliseconds) / 1000
        return answer

    def _drip(self, request: Request, rest: str) -> Answer:
        """Pieces of `bytes` with `ms` between them, chunked unless `framing` says otherwise."""
        total, step = int(request.parameter("total", "200")), int(request.parameter("bytes", "20"))
        answer = text_answer(("drip " * (total // 5 + 1))[:total])
        answer.chunk_bytes, answer.pause_s = step, int(request.parameter("ms", "20")) / 1000
        answer.framing = request.parameter("framing", "chunked")
        return answer

    # Broken. The connection does not outlive any of these.

    def _cut(self, request: Request, kind: str) -> Answer:
        answer = text_answer("this answer is cut off long before its end " * 20)
        answer.framing = "chunked" if kind == "chunked" else "length"
        answer.chunk_bytes, answer.cut_after = 100, 300
        return answer

    def _reset(self, request: Request, kind: str) -> Answer:
        answer = text_answer("this answer is reset before its end " * 20)
        answer.reset_after = -1 if kind == "head" else 300
        answer.pause_s = 0 if kind == "head" else 0.05
        return answer

    def _close(self, request: Request, rest: str) -> Answer:
        return Answer(raw=b"")

    def _silent(self, request: Request, rest: str) -> Answer:
        return Answer(silent=True)

    def _garbage(self, request: Request, kind: str) -> Answer:
        return Answer(raw=GARBAGE.get(kind, GARBAGE["noise"]))

    def _head_cut(self, request: Request, rest: str) -> Answer:
        return Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/pl")


GARBAGE = {
    "noise": b"\x00\xff\x16\x03 this is no HTTP at all\r\n\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "length-and-chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown-coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nabc",
    "bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\nContent-Length: 0\r\n\r\n",
    "bare-lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "endless-head": b"HTTP/1.1 200 OK\r\n" + b"X-Field: value\r\n" * 20000 + b"\r\n",
    "long-line": b"HTTP/1.1 200 OK\r\nX-Field: " + b"v" * 200000 + b"\r\n\r\n",
}


def unique_body(name: str) -> str:
    lines = [f"{name} {hashlib.sha256(f'{name}/{n}'.encode()).hexdigest()}" for n in range(8)]
    return "\n".join(lines) + "\n"


def is_control(path: str) -> bool:
    return re.fullmatch(PREFIX + r"(counts|expire-tokens)", path) is not None


def counts_answer(counts: dict) -> Answer:
    return Answer(200, [date_field(), ("Content-Type", "application/json")], json.dumps(counts).encode())
