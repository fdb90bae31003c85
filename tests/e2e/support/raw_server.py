"""Small servers whose every byte a test decides, and raw connections to a proxy."""

import base64
import socket
import ssl
import threading
from contextlib import suppress

from support.raw_http import parse_answer, request_field

DEADLINE_S = 20


class RawServer:
    """Calls `serve(socket)` in a thread of its own for each connection. Listens on 127.0.0.1, at a free port."""

    def __init__(self, serve, context: ssl.SSLContext | None = None):
        self._serve = serve
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.connections = self.open = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock: socket.socket) -> None:
        sock.settimeout(DEADLINE_S)
        self._count(1)
        with suppress(OSError, ValueError):
            with sock if self._context is None else self._context.wrap_socket(sock, server_side=True) as stream:
                self._serve(stream)
        self._count(-1)

    def _count(self, change: int) -> None:
        with self._lock:
            self.open += change

    def close(self) -> None:
        # Without the shutdown an accept that waits keeps the port open.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def read_head(sock) -> bytes:
    """Up to the empty line; bytes behind it stay in the socket. Empty when the peer closed."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def read_body(sock, head: bytes) -> bytes:
    length = int(request_field(head, "Content-Length") or 0)
    body = b""
    while len(body) < length:
        piece = sock.recv(length - len(body))
        if not piece:
            raise OSError("cut")
        body += piece
    return body


def read_all(sock) -> bytes:
    data = b""
    while True:
        piece = sock.recv(65536)
        if not piece:
            return data
        data += piece


class EchoServer(RawServer):
    """HTTP: answers each request with its request line, and keeps all heads."""

    def __init__(self, context: ssl.SSLContext | None = None, fields: tuple = ()):
        self.heads = []
        self._fields = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
        super().__init__(self._answer_all, context)

    def _answer_all(self, sock) -> None:
        while head := read_head(sock):
            self.heads.append(head)
            read_body(sock, head)
            body = head.partition(b"\r\n")[0]
            sock.sendall(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (self._fields, len(body), body))


class RawClient:
    """One connection to a proxy, plain at first."""

    def __init__(self, port: int, host: str = "127.0.0.1"):
        self.sock = socket.create_connection((host, port), DEADLINE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def start_tls(self, ca_file: str, server_name: str | None) -> None:
        context = ssl.create_default_context(cafile=ca_file)
        context.check_hostname = server_name is not None
        self.sock = context.wrap_socket(self.sock, server_hostname=server_name)

    def ask(self, first_line: str, *fields: str, body: bytes = b""):
        """Sends one request and reads one answer of known length; the connection stays."""
        lines = [first_line, *fields, *([f"Content-Length: {len(body)}"] if body else [])]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return self.read_answer(connect=first_line.startswith("CONNECT "))

    def read_answer(self, connect: bool = False):
        head = read_head(self.sock)
        if not head:
            raise EOFError("the proxy closed the connection instead of answering")
        answered = parse_answer(head)
        bodiless = connect and answered.status == 200
        return parse_answer(head + (b"" if bodiless else read_body(self.sock, head)))

    def is_closed(self) -> bool:
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
