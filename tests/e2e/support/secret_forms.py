"""The forms in which a secret could be left behind, and all the bytes of a cassette it could be left in."""

import base64
import gzip
import json
import sqlite3
import zlib
from pathlib import Path
from urllib.parse import quote, quote_plus

import brotli
import zstandard


def forms_of(secret: str) -> dict:
    """Name of the form to the bytes to look for."""
    raw = secret.encode()
    forms = {
        "raw": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "percent-encoded": quote(secret, safe="").encode(),
        "percent-encoded in lower case": _lower_percent(quote(secret, safe="")).encode(),
        "form-encoded": quote_plus(secret).encode(),
        "JSON-escaped": json.dumps(secret)[1:-1].encode(),
        "JSON-escaped wholly": "".join(f"\\u{ord(c):04x}" for c in secret).encode(),
        "base64": base64.b64encode(raw).rstrip(b"="),
        "base64url": base64.urlsafe_b64encode(raw).rstrip(b"="),
    }
    # Inside a longer text that was coded, a secret begins at any of three offsets; the outer characters are shared.
    for offset in (1, 2):
        inner = base64.b64encode(b"\0" * offset + raw)
        forms[f"base64 at offset {offset}"] = inner[4:].rstrip(b"=")[:-2]
    return {name: form for name, form in forms.items() if len(form) >= 8}


def _lower_percent(text: str) -> str:
    parts = text.split("%")
    return "%".join([parts[0]] + [part[:2].lower() + part[2:] for part in parts[1:]])


def places_of_secrets(data: bytes, secrets: dict) -> list:
    """Which secrets (by name) are in `data`, and in which form."""
    wanted = [(name, form, text) for name, secret in secrets.items() for form, text in forms_of(secret).items()]
    return [f"{name}, {form}" for name, form, text in wanted if text in data]


def cassette_pieces(cassette: Path):
    """(where, bytes): the files as they are, then every value of every table, also decompressed."""
    for file in sorted(cassette.parent.glob(cassette.name + "*")):
        yield file.name, file.read_bytes()
    with sqlite3.connect(f"file:{cassette}?mode=ro", uri=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    data = value.encode() if isinstance(value, str) else value
                    if isinstance(data, bytes):
                        yield f"table {table}", data
                        yield from _decompressed(f"table {table}", data)
        # Large bodies are cut into pieces, and a secret or a coding may span two.
        for body, first in connection.execute("SELECT id, first_piece FROM bodies"):
            pieces = connection.execute("SELECT bytes FROM body_pieces WHERE body = ? ORDER BY n", (body,))
            data = first + b"".join(piece for (piece,) in pieces)
            yield f"body {body}", data
            yield from _decompressed(f"body {body}", data)


def _unzstd(data: bytes) -> bytes:
    # One that was written as it came does not say its size, so it is read as a stream.
    with zstandard.ZstdDecompressor().stream_reader(data) as reader:
        return reader.read()


CODINGS = {"gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress, "zstd": _unzstd}


def _decompressed(where: str, data: bytes):
    for coding, undo in CODINGS.items():
        try:
            yield f"{where}, {coding}", undo(data)
        except (OSError, EOFError, zlib.error, brotli.error, zstandard.ZstdError):
            continue
