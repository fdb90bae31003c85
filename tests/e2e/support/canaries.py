"""Secrets that can be recognised by either end, and requests that carry one where credentials stand.

Both ends of a canary are the same in all of them, so that one search finds whatever part of any of them is left, in
whatever encoding; the number beside each end says which it was.
"""

import base64
import json
import random
import re
import socket
from dataclasses import dataclass
from urllib.parse import quote

from support.raw_http import Message, parse_answer
from support.secret_forms import forms_of

HEAD, TAIL = "cNaRy7hEaD4x", "x9tAiLcNaRy2"
# Each form once, by the first of its names; percent-coded and escaped the ends are what they are.
PATTERNS = {
    f"{form} {end}": pattern
    for end, text in (("head", HEAD), ("tail", TAIL))
    for pattern, form in {pattern: form for form, pattern in reversed(forms_of(text).items())}.items()
}
NEAR_BYTES = 400
TIMEOUT_S = 60

ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
TOKEN = ALPHANUMERIC + "-._~+/"  # RFC 6750 §2.1
COOKIE = ALPHANUMERIC + "!#$&'()*+-./:<>?@[]^_`{|}~"  # RFC 6265 §4.1.1, without %
VISIBLE = COOKIE + '%"\\;,= '
WILD = VISIBLE + "åß€"

ALPHABETS = {
    "bearer": TOKEN, "bearer-jwt": ALPHANUMERIC + "-_", "basic-user": ALPHANUMERIC + "-._@+/ =", "basic-password": WILD,
    "api-key": VISIBLE, "cookie": COOKIE, "query": WILD, "form": WILD, "json": WILD, "json-in-json": WILD,
    "multipart": WILD, "userinfo": WILD, "harmless": WILD,
}  # fmt: skip
# What looks like an encoding of something else, in values that may hold anything.
TRICKY = ("%0F", "%2F", "%zz", "\\n", "\\u00e5", "&amp;", "&#39;", "a+b", "\\\\", "a=b&c=d", '"', "")

PLACES = [name for name in ALPHABETS if name != "harmless"]

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
MULTIPART = ("Content-Type", "multipart/form-data; boundary=a-boundary-of-parts")
PARTS = (
    '--a-boundary-of-parts\r\nContent-Disposition: form-data; name="note"\r\n\r\nnothing\r\n'
    '--a-boundary-of-parts\r\nContent-Disposition: form-data; name="password"\r\n\r\n{}\r\n--a-boundary-of-parts--\r\n'
)


@dataclass(frozen=True)
class Row:
    """One request. `path` is what follows /__stand_in/echo/; the secret goes to `place`."""

    name: str
    place: str
    path: str
    fails: bool = False  # the answer is no HTTP
    trailer: bool = False  # the secret is in a trailer of the request
    upload_bytes: int = 0  # a request body of about this size, JSON with the secret at its end


def canary(row: int, place: str, source: random.Random) -> str:
    middle = "".join(source.choice(ALPHABETS[place]) for _ in range(12))
    if ALPHABETS[place] is WILD:
        middle = middle[:6] + TRICKY[row % len(TRICKY)] + middle[6:]
    text = f"{HEAD}{row:04d}{middle}{row:04d}{TAIL}"
    return f"eyJhbGciOiJIUzI1NiJ9.eyJ{text}.{text}" if place == "bearer-jwt" else text


def request_of(row: Row, number: int, secret: str) -> bytes:
    """As it goes to the proxy: absolute-form, one connection each."""
    method, query, headers, body = "GET", "", [], b""
    if row.trailer or row.upload_bytes:
        method = "POST"
    elif row.place.startswith("bearer"):
        headers = [("Authorization", f"Bearer {secret}")]
    elif row.place.startswith("basic"):
        pair = f"{secret}:a-password" if row.place == "basic-user" else f"user:{secret}"
        headers = [("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())]
    elif row.place == "api-key":
        headers = [("X-Api-Key", secret)]
    elif row.place == "cookie":
        headers = [("Cookie", f"theme=dark; session={secret}")]
    elif row.place == "query":
        query = "&access_token=" + quote(secret, safe="")
    elif row.place == "userinfo":
        headers = [("Referer", f"https://user:{quote(secret, safe='')}@client.example/page")]
    else:
        method, (header, body) = "POST", _body_of(row.place, secret)
        headers = [header]
    target = f"http://api.roaring.io/__stand_in/echo/{row.path}?row={number}{query}"
    if row.trailer:
        headers = [("Trailer", "X-Api-Key"), ("Transfer-Encoding", "chunked")]
        body = f"4\r\nbody\r\n0\r\nX-Api-Key: {secret}\r\n\r\n".encode()
    elif row.upload_bytes:
        headers, body = [JSON], _large_json(secret, row.upload_bytes)
    if body and not row.trailer:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} HTTP/1.1", "Host: api.roaring.io", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def _body_of(place: str, secret: str) -> tuple:
    if place == "form":
        return FORM, f"grant_type=client_credentials&client_secret={quote(secret, safe='')}&scope=all".encode()
    if place == "json":
        return JSON, json.dumps({"user": {"name": "ada", "password": secret}, "n": 1.50}).encode()
    if place == "json-in-json":
        return JSON, json.dumps({"payload": json.dumps({"client_secret": secret, "id": 7})}).encode()
    if place == "multipart":
        return MULTIPART, PARTS.format(secret).encode()
    return JSON, json.dumps({"note": secret}).encode()


def _large_json(secret: str, size: int) -> bytes:
    item = {"street": "Storgatan 1", "town": "Växjö", "password": secret}
    count = size // 128  # about what an item takes, and the same whatever must be escaped in the secret
    return json.dumps({"user": {"password": secret}, "items": [item] * count}).encode()


def exchange(port: int, request: bytes) -> Message:
    """Sends the request to our port and reads until the connection ends."""
    raw = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.sendall(request)
        while piece := connection.recv(256 * 1024):
            raw += piece
    return parse_answer(bytes(raw))


def canaries_in(where: str, data: bytes, secrets: list) -> set:
    """"row 12: where, form" for whatever is left of any canary; `secrets` are the canaries by their rows."""
    left = _canaries_in(where, data, secrets)
    # Slashes within base64 may be escaped in JSON.
    joined = data.translate(None, b"\\")
    return left if joined == data else left | _canaries_in(where, joined, secrets)


def _canaries_in(where: str, data: bytes, secrets: list) -> set:
    left = set()
    for form, pattern in PATTERNS.items():
        at = data.find(pattern)
        while at >= 0:
            near = data[max(0, at - NEAR_BYTES) : at + NEAR_BYTES]
            left.add(f"{_row_of(near, secrets)}: {where}, {form}")
            at = data.find(pattern, at + NEAR_BYTES)
    return left


def _row_of(near: bytes, secrets: list) -> str:
    plain = re.search(rf"{HEAD}(\d{{4}})|(\d{{4}}){TAIL}".encode(), near)
    if plain:
        return f"row {int(plain[1] or plain[2])}"
    by_form = (n for n, secret in enumerate(secrets) if any(form in near for form in forms_of(secret).values()))
    return f"row {next(by_form, '?')}"
