"""The tables of hostile messages, and peers that send and read raw bytes. What they read is read by h11: a parser that
is neither ours nor this test's."""

import json
import re
import socket
import threading
from dataclasses import dataclass, field

import h11

from support import REPOSITORY

TABLES = REPOSITORY / "tests" / "proxy" / "http"
SOCKET_TIMEOUT_S = 30
EVENT_BYTES_MAX = 1 << 20
HOST = "api.test"


@dataclass
class Row:
    name: str
    message: bytes
    read: list  # a line for each message, see the unit test of the tables
    more: dict


def table(name: str) -> list:
    return [_row(row) for row in json.loads((TABLES / f"hostile_{name}.json").read_text())]


def _row(row: dict) -> Row:
    pieces = [row["bytes"]] if isinstance(row["bytes"], str) else row["bytes"]
    message = "".join(piece if isinstance(piece, str) else piece[0] * piece[1] for piece in pieces)
    read = []
    for line in row["read"]:
        read += [line] if isinstance(line, str) else [line[0]] * line[1]
    return Row(row["name"], message.encode("latin-1"), read, row)


@dataclass
class Read:
    """One message as h11 reads it."""

    method: str = ""
    target: str = ""
    status: int = 0
    headers: list = field(default_factory=list)  # of (name, value), with their case
    body: bytes = b""
    trailers: list = field(default_factory=list)
    whole: bool = False

    def values(self, name: str) -> list:
        return [value for other, value in self.headers if other.lower() == name.lower()]

    def line(self) -> str:
        """In the words of the tables."""
        text = f"{self.method} {self.target} " if self.method else f"{self.status} "
        text += f"'{self.body.decode('latin-1')}'"
        text += "".join(f" |{name}={value}|" for name, value in self.trailers)
        return text if self.whole else text + " cut"


def _raw(headers) -> list:
    pairs = headers.raw_items() if hasattr(headers, "raw_items") else headers
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]


def read_requests(raw: bytes) -> tuple:
    """What an origin server on h11 makes of these bytes of one connection: its whole requests, the bytes that are none
    yet, and its complaint or None."""
    requests = []
    while raw:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=EVENT_BYTES_MAX)
        try:
            connection.receive_data(raw)
            request = _read_request(connection)
        except h11.RemoteProtocolError as error:
            return requests, raw, str(error)
        if request is None:
            break
        requests.append(request)
        raw = connection.trailing_data[0]
    return requests, raw, None


def _read_request(connection) -> Read | None:
    request = Read()
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            request = Read(event.method.decode(), event.target.decode("latin-1"), headers=_raw(event.headers))
        elif isinstance(event, h11.Data):
            request.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            request.trailers = _raw(event.headers)
            request.whole = True
            return request
        else:
            return None


def read_responses(raw: bytes, methods: list) -> list:
    """What a client on h11 makes of the answers to requests of these methods, the interim ones among them."""
    responses = []
    for method in [*methods, "GET"]:
        if not raw:
            break
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=EVENT_BYTES_MAX)
        connection.send(h11.Request(method=method, target="/", headers=[("Host", HOST)]))
        connection.send(h11.EndOfMessage())
        connection.receive_data(raw)
        connection.receive_data(b"")
        raw = _read_response(connection, responses)
    return responses


def _read_response(connection, responses: list) -> bytes:
    response = None
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, (h11.InformationalResponse, h11.Response)):
                response = Read(status=event.status_code, headers=_raw(event.headers))
                responses.append(response)
                response.whole = isinstance(event, h11.InformationalResponse)
            elif isinstance(event, h11.Data):
                response.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                response.trailers = _raw(event.headers)
                response.whole = True
                return connection.trailing_data[0]
            else:
                return b""
    except h11.RemoteProtocolError:
        return b""  # Cut, as the last response says.


class Upstream:
    """Listens on a free port; a thread a connection, which `serve` is given."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._socket.getsockname()[1]
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def options(self) -> list:
        options = ["--profile", "none", "--upstream", f"http://{HOST}", "--host", HOST, "--workers", "1"]
        return [*options, "--connect-to", f"{HOST}:80:127.0.0.1:{self.port}"]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(SOCKET_TIMEOUT_S)
            try:
                self.serve(connection)
            except OSError:
                pass

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class ReadingUpstream(Upstream):
    """Keeps each whole request in the order in which they came, and answers it with `ok`."""

    def __init__(self):
        self.requests = []
        self.complaints = []
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        rest = b""
        while piece := connection.recv(65536):
            requests, rest, complaint = read_requests(rest + piece)
            with self.lock:
                self.requests += requests
                self.complaints += [complaint] if complaint else []
            for request in requests:
                body = b"" if request.method == "HEAD" else b"ok"
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)
            if complaint:
                return


class SayingUpstream(Upstream):
    """Says what it is told for a target, and counts what it is asked on each connection."""

    def __init__(self, answers: dict):
        """`answers`: target to (bytes, whether the connection ends with them)."""
        self.answers = answers
        self.asked = []  # of lists of targets, one a connection
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        targets = []
        with self.lock:
            self.asked.append(targets)
        buffer = b""
        while piece := connection.recv(65536):
            buffer += piece
            while b"\r\n\r\n" in buffer:
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                targets.append(head.split(b" ")[1].decode("latin-1"))
                message, ends = self.answers[targets[-1]]
                connection.sendall(message)
                if ends:
                    connection.shutdown(socket.SHUT_WR)


def converse(port: int, message: bytes, half_close: bool) -> bytes:
    """All that comes back until the other side closes. Without `half_close` it has to do that of itself."""
    with socket.create_connection(("127.0.0.1", port), timeout=SOCKET_TIMEOUT_S) as sock:
        try:
            sock.sendall(message)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # It may hang up before everything is said.
        return read_to_end(sock)


def read_to_end(sock: socket.socket) -> bytes:
    """Until the other side closes, in whatever way; a time-out is an error of the test."""
    answer = b""
    try:
        while piece := sock.recv(65536):
            answer += piece
    except ConnectionError:
        pass
    return answer


def without_own_via(lines: list) -> list:
    """Field lines but for the one that every forwarded request has of us."""
    return [line for line in lines if not re.fullmatch(r"Via: 1\.1 tapedeck-[0-9a-f]{8}", line)]
