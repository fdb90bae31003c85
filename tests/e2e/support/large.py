"""Bodies too large to hold in a test: made, sent and checked as they go, over plain sockets."""

import hashlib
import socket
import ssl
import threading
import time

BLOCK = 64 * 1024


def blocks(size: int, seed: str = ""):
    """The same bytes each time, different in each block, so that one that is lost or swapped shows."""
    base = hashlib.sha512(seed.encode()).digest() * (BLOCK // 64)
    for n in range((size + BLOCK - 1) // BLOCK):
        block = n.to_bytes(8, "big") + base[8:]
        yield block[: size - n * BLOCK]


def digest_of(size: int, seed: str = "") -> str:
    digest = hashlib.sha256()
    for block in blocks(size, seed):
        digest.update(block)
    return digest.hexdigest()


class Wire:
    """A socket that is read by lines and counts."""

    def __init__(self, sock: socket.socket):
        self.sock = sock
        self._buffer = b""

    def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._fill()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def head(self) -> tuple:
        """(first line, fields by lower-case name)"""
        first, fields = self.line().decode("latin-1"), {}
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        return first, fields

    def body(self, fields: dict):
        """The pieces of a body with a length or in chunks."""
        if fields.get("transfer-encoding", "").lower() != "chunked":
            yield from self.counted(int(fields.get("content-length", "0")))
            return
        while size := int(self.line().partition(b";")[0], 16):
            yield from self.counted(size)
            self.line()
        while self.line():
            pass

    def counted(self, size: int):
        while size > 0:
            if not self._buffer:
                self._fill()
            piece, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(piece)
            yield piece

    def _fill(self) -> None:
        piece = self.sock.recv(256 * 1024)
        if not piece:
            raise ConnectionError("the peer closed in the middle")
        self._buffer += piece


def send_body(sock: socket.socket, size: int, chunked: bool, seed: str = "") -> None:
    for block in blocks(size, seed):
        sock.sendall(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
    if chunked:
        sock.sendall(b"0\r\n\r\n")


def framing(size: int, chunked: bool) -> str:
    return "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {size}\r\n"


class LargeOrigin:
    """An upstream on 127.0.0.1 for one large body after the other: `GET /down/SIZE[/chunked]` gives one, `POST /up` tells
    what came, `GET /drip/SIZE` is slow, `POST /early/STATUS` answers before it has read the body and stops reading, `POST /both/SIZE` does both
    at once."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests = 0
        self.sent = 0  # bytes of bodies
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                while True:
                    self._answer(Wire(sock))
            except (OSError, ValueError, ConnectionError):
                pass

    def _answer(self, wire: Wire) -> None:
        first, fields = wire.head()
        method, target, _ = first.split(" ")
        self.requests += 1
        _, kind, *rest = target.split("?")[0].split("/")
        if kind == "down":
            self._send(wire, int(rest[0]), "chunked" in rest, fields.get("range"))
        elif kind == "drip":
            self._send(wire, int(rest[0]), True, pause_s=0.02)
        elif kind == "up":
            self._tell(wire, 200, self._digest(wire, fields))
        elif kind == "early":
            self._tell(wire, int(rest[0]), "too early", close=True)
            raise ConnectionError
        elif kind == "both":
            sender = threading.Thread(target=self._send, args=(wire, int(rest[0]), True))
            sender.start()
            self._digest(wire, fields)
            sender.join()

    def _digest(self, wire: Wire, fields: dict) -> str:
        digest, size = hashlib.sha256(), 0
        for piece in wire.body(fields):
            digest.update(piece)
            size += len(piece)
        return f"{size} {digest.hexdigest()}"

    def _tell(self, wire: Wire, status: int, text: str, close: bool = False) -> None:
        body = text.encode()
        ending = "Connection: close\r\n" if close else ""
        head = f"HTTP/1.1 {status} Told\r\nContent-Type: text/plain\r\n{ending}{framing(len(body), False)}\r\n"
        wire.sock.sendall(head.encode() + body)

    def _send(self, wire: Wire, size: int, chunked: bool, byte_range: str | None = None, pause_s: float = 0) -> None:
        status = "200 OK"
        if byte_range:
            first, last = map(int, byte_range.removeprefix("bytes=").split("-"))
            status = f"206 Partial Content\r\nContent-Range: bytes {first}-{last}/{size}"
            size = last - first + 1
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\n{framing(size, chunked)}\r\n"
        wire.sock.sendall(head.encode())
        for block in blocks(size):
            wire.sock.sendall(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
            self.sent += len(block)
            time.sleep(pause_s)
        if chunked:
            wire.sock.sendall(b"0\r\n\r\n")


class LargeClient:
    """One connection to a proxy, as its reverse side (origin-form)."""

    def __init__(self, port: int, ca_file: str | None = None, receive_buffer: int | None = None):
        self._sock = socket.socket()
        if receive_buffer:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._sock.settimeout(120)
        self._sock.connect(("127.0.0.1", port))
        if ca_file:
            context = ssl.create_default_context(cafile=ca_file)
            self._sock = context.wrap_socket(self._sock, server_hostname="127.0.0.1")
        self.wire = Wire(self._sock)

    def close(self) -> None:
        self._sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, target: str, fields: str = "") -> None:
        self._sock.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode())

    def begin_upload(self, target: str, size: int, chunked: bool, fields: str = "") -> None:
        if "Content-Type" not in fields:
            fields += "Content-Type: application/octet-stream\r\n"
        head = f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}{framing(size, chunked)}\r\n"
        self._sock.sendall(head.encode())

    def upload(self, target: str, size: int, chunked: bool, seed: str = "", fields: str = "") -> tuple:
        self.begin_upload(target, size, chunked, fields)
        send_body(self._sock, size, chunked, seed)
        return self.answer()

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def answer(self) -> tuple:
        """(status, size, digest) with the body thrown away, or (status, text) of a small one."""
        first, fields = self.wire.head()
        digest, size, text = hashlib.sha256(), 0, b""
        for piece in self.wire.body(fields):
            digest.update(piece)
            size += len(piece)
            if size <= 4096:
                text += piece
        status = int(first.split(" ")[1])
        return (status, text.decode("latin-1")) if size <= 4096 else (status, size, digest.hexdigest())
