"""What a client must see of a raw upstream answer, and where a replayed answer may differ from it."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from support.raw_http import Message, parse_answer

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
DROPPED_ALWAYS = {"alt-svc"}
DROPPED_IN_REVERSE = {"strict-transport-security"}

UPSTREAM_URL = "https://api.roaring.io"
PLACEHOLDER = re.compile(rb"\{\{tapedeck:[a-z0-9-]+\}\}")
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class ChangedRange:
    """Bytes `begin` to `end` of the upstream's answer that were replayed otherwise."""

    begin: int
    end: int
    upstream: bytes
    replayed: bytes


def expected_message(raw: bytes, method: str, way: str, base_url: str) -> Message:
    """The raw answer as it has to be served, with nothing redacted."""
    message = parse_answer(raw, method)
    message.status_line = re.sub(r"^HTTP/1\.[01]", "HTTP/1.1", message.status_line)
    dropped = HOP_BY_HOP | DROPPED_ALWAYS | (DROPPED_IN_REVERSE if way == "origin" else set())
    message.headers = [(name, value) for name, value in message.headers if name.lower() not in dropped]
    if way == "origin":
        message.headers = [(name, _mapped(name, value, base_url)) for name, value in message.headers]
    return message


def _mapped(name: str, value: str, base_url: str) -> str:
    if name.lower() == "location" and value.startswith(UPSTREAM_URL + "/"):
        return base_url.rstrip("/") + value[len(UPSTREAM_URL) :]
    return value


def comparable(message: Message, expected: Message, with_trailers: bool) -> bytes:
    """Head, decoded body and trailers as one text of bytes. Framing is left out, since it belongs to each hop; but a
    Content-Length of the upstream's has to stand where it stood. Its value is checked on its own."""
    has_length = expected.header("Content-Length") != ""
    headers = [(n, v) for n, v in message.headers if n.lower() not in HOP_BY_HOP]
    headers = [(n, v) for n, v in headers if n.lower() != "content-length" or has_length]
    headers = [(n, "*" if n.lower() == "content-length" else v) for n, v in headers]
    lines = [message.status_line] + [f"{name}: {value}" for name, value in headers]
    if with_trailers:
        lines += [f"interim {line} {fields}" for line, fields in message.interim]
    text = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + message.decoded_body()
    if with_trailers:
        text += "".join(f"\r\n{name}: {value}" for name, value in message.trailers).encode("latin-1")
    return text


def secret_places(text: bytes, patterns: tuple) -> list:
    """The ranges of the patterns' groups, in order; the same pattern twice means its first two places."""
    places = []
    for pattern in dict.fromkeys(patterns):
        found = [match.span(1) for match in re.finditer(pattern, text)]
        if len(found) != patterns.count(pattern):
            raise AssertionError(f"the upstream's answer has {len(found)} places of {pattern}")
        places += found
    return sorted(places)


def changed_ranges(upstream: bytes, replayed: bytes, places: list) -> list:
    """Aligns both texts at everything that is no secret's place. Whatever differs elsewhere is an error."""
    if upstream == replayed:
        return []  # A pattern of a megabyte takes a while to compile.
    pieces, last = [], 0
    for begin, end in places:
        pieces.append(re.escape(upstream[last:begin]))
        last = end
    pieces.append(re.escape(upstream[last:]))
    aligned = re.fullmatch(b"(.*?)".join(pieces), replayed, re.DOTALL)
    if aligned is None:
        raise AssertionError("differs outside of the secrets' places:\n" + first_difference(upstream, replayed))
    values = aligned.groups()
    return [
        ChangedRange(begin, end, upstream[begin:end], value)
        for (begin, end), value in zip(places, values)
        if upstream[begin:end] != value
    ]


def first_difference(one: bytes, other: bytes) -> str:
    at = next((n for n, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    begin = max(0, at - 60)
    return f"at byte {at}:\n  upstream {one[begin:at + 100]!r}\n  client   {other[begin:at + 100]!r}"


def is_placeholder(value: bytes) -> bool:
    """Also inside of a URL, where its braces are percent-encoded."""
    value = unquote_to_bytes(value)
    return PLACEHOLDER.search(value) is not None or UUID.fullmatch(value) is not None
