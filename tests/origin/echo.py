"""Answers under /__stand_in/echo/: an upstream that gives back what it was told, secrets above all.

    /__stand_in/echo/request                           everything of the request, as debugging services do it
    /__stand_in/echo/secret/FROM/FORM/INTO[/CODING[/STEP]]   the secret at FROM, written as FORM, at the place INTO
    /__stand_in/echo/plant/NAME                        keeps the body of the request, for those that do not come by proxy
    /__stand_in/echo/issue/NAME/HOW                    hands out what was kept, as a server hands out new credentials
    /__stand_in/echo/again/NAME                        mentions it once more
    /__stand_in/echo/broken/FROM/HOW                   breaks the protocol with the secret
    /__stand_in/echo/large/FROM/BYTES/CODING           a large body with the secret around many borders of blocks
"""

import base64
import gzip
import html
import json
import re
import zlib
from urllib.parse import parse_qs, quote, quote_plus, unquote, urlsplit

from messages import Answer, Request, date_field, text_answer

BLOCK_BYTES = 64 * 1024


def _coded(coding: str, data: bytes) -> bytes:
    if coding == "gzip":
        return gzip.compress(data, mtime=0)
    if coding == "deflate":
        return zlib.compress(data)
    if coding == "identity":
        return data
    # Loaded here, so that whoever only wants the API needs nothing but Python itself.
    if coding == "br":
        import brotli

        return brotli.compress(data, quality=4)
    import zstandard

    return zstandard.ZstdCompressor().compress(data)



def _base64_at(offset: int):
    return lambda secret: base64.b64encode(b"p" * offset + secret.encode() + b" and the rest").decode()


def _escaped(text: str, characters: str) -> str:
    """JSON with these characters escaped, as writers do it whose JSON may stand in HTML."""
    return "".join(f"\\u{ord(c):04x}" if c in characters else c for c in text)


# How a text says the secret; the name says the content type too, JSON when it begins with `json`.
FORMS = {
    "raw": lambda secret: f"you sent {secret} to us",
    "percent": lambda secret: "/next?from=" + quote(secret, safe=""),
    "percent-lower": lambda secret: re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="")),
    "form": lambda secret: "state=" + quote_plus(secret) + "&page=2",
    "json": lambda secret: json.dumps({"you_sent": secret}),
    "json-raw": lambda secret: json.dumps({"you_sent": secret}, ensure_ascii=False),
    "json-slashes": lambda secret: json.dumps({"you_sent": secret}).replace("/", "\\/"),
    "json-twice": lambda secret: json.dumps({"you_sent": json.dumps({"inner": secret})}),
    "percent-path": lambda secret: "/files/" + quote(secret, safe="/:@!$&'()*+,;=~"),  # as encodeURI
    "percent-some": lambda secret: "/next?from=" + quote(secret, safe="!'()*~"),  # as encodeURIComponent
    "percent-twice": lambda secret: "/next?to=" + quote("/a?b=" + quote(secret, safe=""), safe=""),
    "json-for-html": lambda secret: _escaped(json.dumps({"you_sent": secret}), "<>&'+="),
    "json-all-escaped": lambda secret: '{"you_sent":"' + "".join(f"\\u{ord(c):04x}" for c in secret) + '"}',
    "json-percent": lambda secret: json.dumps({"next": "/next?from=" + quote(secret, safe="")}),
    "json-base64": lambda secret: json.dumps({"sent": _base64_at(1)(secret)}).replace("/", "\\/"),
    "percent-base64": lambda secret: "/next?sent=" + quote(_base64_at(2)(secret), safe=""),
    "html-numbers": lambda secret: "".join(c if c.isalnum() else f"&#{ord(c)};" for c in secret),
    "html": lambda secret: "<p>" + html.escape(secret) + "</p>",
    "base64-0": _base64_at(0),
    "base64-1": _base64_at(1),
    "base64-2": _base64_at(2),
    "base64-alone": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64url": lambda secret: base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode(),
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
    "basic": lambda secret: "Basic " + base64.b64encode(f"user:{secret}".encode()).decode(),
}


def _basic(request: Request) -> list:
    coded = request.header("Authorization").removeprefix("Basic ")
    return base64.b64decode(coded).decode().split(":", 1)


def _part(request: Request) -> str:
    """The content of the part named `password`."""
    found = re.search(rb'name="password"\r\n\r\n(.*?)\r\n--', request.body, re.DOTALL)
    return found[1].decode() if found else ""


PLACES = {
    "bearer": lambda request: request.header("Authorization").removeprefix("Bearer "),
    "basic-user": lambda request: _basic(request)[0],
    "basic-password": lambda request: _basic(request)[1],
    "api-key": lambda request: request.header("X-Api-Key"),
    "cookie": lambda request: request.header("Cookie").partition("session=")[2],
    "query": lambda request: request.parameter("access_token"),
    "form": lambda request: parse_qs(request.body.decode())["client_secret"][0],
    "json": lambda request: request.json()["user"]["password"],
    "json-in-json": lambda request: json.loads(request.json()["payload"])["client_secret"],
    "multipart": _part,
    "harmless": lambda request: request.json()["note"],
    "userinfo": lambda request: unquote(urlsplit(request.header("Referer")).password),
}


class EchoAnswers:
    def __init__(self):
        self._kept = {}

    def answer(self, request: Request, rest: str) -> Answer:
        kind, *words = rest.split("/")
        return getattr(self, "_" + kind)(request, *words)

    def _request(self, request: Request) -> Answer:
        """As httpbin's /anything does it."""
        value = {
            "data": request.body.decode("utf-8", "replace"),
            "headers": dict(request.headers),
            "method": request.method,
            "url": "https://api.roaring.io" + request.target,
        }
        return _json(json.dumps(value, indent=2))

    def _secret(self, request: Request, place: str, form: str, into: str, coding="identity", step="0") -> Answer:
        text = FORMS[form](PLACES[place](request))
        answer = _json(text) if form.startswith("json") else text_answer(text)
        _put(answer, into, text)
        if coding != "identity":
            answer.body = _coded(coding, answer.body)
            answer.headers.append(("Content-Encoding", coding))
        if int(step):
            answer.framing, answer.chunk_bytes = "chunked", int(step)
        return answer

    def _plant(self, request: Request, name: str) -> Answer:
        self._kept[name] = request.body.decode()
        return text_answer("kept\n")

    def _issue(self, request: Request, name: str, how: str) -> Answer:
        secret = self._kept[name]
        if how == "json":
            return _json(json.dumps({"access_token": secret, "token_type": "Bearer"}))
        answer = text_answer("issued\n")
        if how == "cookie":
            answer.headers.append(("Set-Cookie", f"session={secret}; Path=/; HttpOnly"))
        if how == "header":
            answer.headers.append(("X-Auth-Token", secret))
        if how == "trailer":
            answer.framing, answer.trailers = "chunked", [("X-Auth-Token", secret)]
        if how.startswith("redirect"):
            query = "?access_token=" if how == "redirect-query" else "#access_token="
            answer.status = 302
            answer.headers.append(("Location", "https://client.example/cb" + query + quote(secret, safe="")))
        if how == "userinfo":
            answer.status = 302
            answer.headers.append(("Location", f"https://user:{quote(secret, safe='')}@client.example/cb"))
        return answer

    def _again(self, request: Request, name: str) -> Answer:
        return text_answer(f"welcome back, {self._kept[name]}!\n")

    def _broken(self, request: Request, place: str, how: str) -> Answer:
        """No HTTP, and the secret where an error text might quote it."""
        secret = PLACES[place](request).encode()
        if how == "status-line":
            return Answer(raw=b"HTTP/1.1 " + secret + b" no\r\n\r\n")
        if how == "field":
            return Answer(raw=b"HTTP/1.1 200 OK\r\nno field but " + secret + b"\r\n\r\n")
        if how == "chunk":
            return Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + b"\r\n\r\n")
        return Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: " + secret + b"\r\n\r\n")

    def _large(self, request: Request, place: str, size: str, coding: str) -> Answer:
        secret = PLACES[place](request).encode()
        answer = Answer(200, [date_field(), ("Content-Type", "text/plain")], large_text(secret, int(size)))
        if coding != "identity":
            answer.body = _coded(coding, answer.body)
            answer.headers.append(("Content-Encoding", coding))
        return answer


def large_text(secret: bytes, size: int) -> bytes:
    """Text of that size with the secret at its end and across the end of every eighth block, each time elsewhere."""
    line = b"what is written here is nobody's secret and may be kept\n"
    text = bytearray((line * (size // len(line) + 1))[:size])
    for n, border in enumerate(range(BLOCK_BYTES, size - BLOCK_BYTES, 8 * BLOCK_BYTES)):
        begin = border - n % (len(secret) + 1)
        text[begin : begin + len(secret)] = secret
    text[-len(secret) :] = secret
    return bytes(text)


def _put(answer: Answer, into: str, text: str) -> None:
    """Where else than in the body the text goes."""
    if into == "body":
        return
    answer.body = b"it stands elsewhere\n"
    if into == "header":
        answer.headers.append(("X-Echo", text))
    elif into == "link":
        answer.headers.append(("Link", f"<{text}>; rel=next"))
    elif into == "location":
        answer.status = 302
        answer.headers.append(("Location", "https://client.example" + text))
    elif into == "set-cookie":
        answer.headers.append(("Set-Cookie", f"theme={text}; Path=/"))
    elif into == "reason":
        answer.reason = text
    elif into == "trailer":
        answer.framing, answer.trailers = "chunked", [("X-Echo", text)]
    elif into == "interim":
        answer.interim = [(103, [("Link", f"<{text}>; rel=preload")])]


def _json(text: str) -> Answer:
    return Answer(200, [date_field(), ("Content-Type", "application/json")], text.encode())
