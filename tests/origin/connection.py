"""One client connection on a blocking socket: reads requests, writes answers, keeps every byte of both."""

import socket
import ssl
import struct
import time
from typing import Callable

from messages import REASONS, Answer, Request, coded

HEAD_BYTES_MAX = 256 * 1024
IDLE_TIMEOUT_S = 120


class ConnectionOver(Exception):
    """The client left, or sent something that cannot be read."""


class Connection:
    def __init__(self, sock: socket.socket, answer: Callable, transcript: Callable[[bytes, bytes], None]):
        """`answer` makes an Answer of a Request; `transcript` is given the raw bytes of both."""
        self._socket = sock
        self._answer = answer
        self._transcript = transcript
        self._buffer = b""
        self._received = b""  # raw bytes of the request at hand
        self._sent = b""  # raw bytes of its answer

    def serve(self) -> None:
        self._socket.settimeout(IDLE_TIMEOUT_S)
        try:
            while self._serve_one():
                pass
        except (ConnectionOver, OSError, ValueError):
            pass
        finally:
            self._close()

    def _serve_one(self) -> bool:
        self._received = self._sent = b""
        request = self._read_head()
        if request is None:
            return False
        try:
            self._read_body(request)
            answer = self._answer(request)
            return self._write(request, answer)
        finally:
            self._transcript(self._received, self._sent)

    # Reading.

    def _read_head(self) -> Request | None:
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise ConnectionOver
            piece = self._socket.recv(65536)
            if not piece:
                return None
            self._buffer += piece
        head, _, _ = self._buffer.partition(b"\r\n\r\n")
        raw_head = self._take(len(head) + 4)
        lines = head.lstrip(b"\r\n").decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        if target.startswith("http"):  # absolute-form to an origin is legal (RFC 9112 §3.2.2)
            target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
        return Request(method, target, version, headers, raw_head=raw_head)

    def _read_body(self, request: Request) -> None:
        chunked = "chunked" in request.header("Transfer-Encoding").lower()
        length = int(request.header("Content-Length", "0"))
        if not chunked and length == 0:
            return
        if request.header("Expect").lower() == "100-continue" and not self._buffer:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = self._read_chunks() if chunked else self._take(length)

    def _read_chunks(self) -> bytes:
        body = b""
        while True:
            size = int(self._take_line().partition(b";")[0].strip(), 16)
            if size == 0:
                while self._take_line() != b"":
                    pass  # Trailers of requests are read and kept in the transcript only.
                return body
            body += self._take(size)
            self._take(2)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            piece = self._socket.recv(65536)
            if not piece:
                self._received += self._buffer
                raise ConnectionOver
            self._buffer += piece
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        self._received += taken
        return taken

    def _take_line(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            line += self._take(1)
        return line[:-2]

    # Writing.

    def _send(self, data: bytes) -> None:
        self._sent += data
        self._socket.sendall(data)

    def _write(self, request: Request, answer: Answer) -> bool:
        if answer.silent:
            self._wait_until_client_leaves()
            return False
        time.sleep(answer.delay_s)
        if answer.reset_after == -1:
            self._reset()
            return False
        if answer.raw is not None:
            self._send(answer.raw)
            return False
        answer = coded(answer, request.header("Accept-Encoding"))
        for status, headers in answer.interim:
            self._send(_head_bytes("HTTP/1.1", status, REASONS[status], headers))
        stays = self._stays_open(request, answer)
        self._send(self._final_head(request, answer, stays))
        if request.method == "HEAD" or answer.framing == "none":
            return stays
        return self._write_body(answer) and stays

    def _final_head(self, request: Request, answer: Answer, stays: bool) -> bytes:
        headers = list(answer.headers)
        if answer.framing == "length":
            headers.append(("Content-Length", str(len(answer.body))))
        elif answer.framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        if not stays:
            headers.append(("Connection", "close"))
        elif request.version == "HTTP/1.0":
            headers.append(("Connection", "keep-alive"))
        reason = REASONS.get(answer.status, "Unknown") if answer.reason is None else answer.reason
        return _head_bytes(answer.version, answer.status, reason, headers)

    @staticmethod
    def _stays_open(request: Request, answer: Answer) -> bool:
        asked = request.header("Connection").lower()
        kept_by_client = asked == "keep-alive" if request.version == "HTTP/1.0" else asked != "close"
        breaks_off = answer.cut_after is not None or answer.reset_after is not None
        return kept_by_client and not answer.close and answer.framing != "close" and not breaks_off

    def _write_body(self, answer: Answer) -> bool:
        end = min(x for x in (answer.cut_after, answer.reset_after, len(answer.body)) if x is not None)
        paced = answer.framing == "chunked" or answer.pause_s
        step = answer.chunk_bytes if paced else max(end, 1)
        for begin in range(0, end, step):
            piece = answer.body[begin : min(begin + step, end)]
            if answer.framing == "chunked":
                piece = b"%x%s\r\n%s\r\n" % (len(piece), answer.chunk_extension.encode(), piece)
            self._send(piece)
            time.sleep(answer.pause_s)
        if answer.reset_after is not None:
            self._reset()
            return False
        if answer.cut_after is not None:
            return False
        if answer.framing == "chunked":
            trailers = "".join(f"{name}: {value}\r\n" for name, value in answer.trailers)
            self._send(b"0\r\n" + trailers.encode("latin-1") + b"\r\n")
        return answer.framing != "close"

    # Ending.

    def _wait_until_client_leaves(self) -> None:
        self._socket.settimeout(None)
        while self._socket.recv(65536):
            pass

    def _reset(self) -> None:
        """Closing with a linger time of zero sends RST in place of FIN, below TLS."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        descriptor = self._socket.detach()
        socket.close(descriptor)

    def _close(self) -> None:
        try:
            if isinstance(self._socket, ssl.SSLSocket) and self._socket.fileno() >= 0:
                self._socket.settimeout(1)
                self._socket = self._socket.unwrap()
            self._socket.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            pass
        self._socket.close()


def _head_bytes(version: str, status: int, reason: str, headers: list) -> bytes:
    lines = [f"{version} {status} {reason}"] + [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
