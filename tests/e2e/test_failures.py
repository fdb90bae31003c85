"""The failure table: each way in which a network fails, recorded, and replayed with the upstream gone. Both times the
client must see the same."""

import json
import re
import socket
import sqlite3
import ssl
import struct
import threading
from contextlib import closing
from dataclasses import dataclass, field

from support.case import TapedeckCase
from support.certificates import Authority
from support.processes import wait_until
from support.raw_http import parse_answer
from support.raw_server import DEADLINE_S, RawClient, RawServer, read_all, read_body, read_head

HOST = "failing.example"
OTHER = "other.example"
WAIT_S = 0.5
HEALTH = f"GET /__tapedeck/health HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nabc"
COLUMNS = ("failure_phase", "failure_kind", "failure_side", "failure_code", "failure_response_bytes", "state")


@dataclass
class Seen:
    """What a client got: all bytes, and what became of its connection."""

    raw: bytes
    end: str  # `kept`, `FIN` or `RST`

    def problem(self) -> dict:
        return json.loads(parse_answer(self.raw).body)

    def comparable(self) -> tuple:
        return re.sub(rb"(?i)connection: close\r\n", b"", self.raw), self.end


def reset(sock) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def wait_for_the_end(sock) -> None:
    while sock.recv(65536):
        pass


class Upstreams:
    """What serves in a row: the same in plain and in TLS."""

    def __init__(self, context):
        self.context = context
        self.seen = threading.Event()  # the client has what was sent so far

    def answer(self, data: bytes, then):
        """Reads a request, says `data`, and does `then` with the socket."""

        def serve(sock):
            read_body(sock, read_head(sock))
            sock.sendall(data)
            then(self, sock)

        return serve


def close(_, sock):
    pass


def cut_off(_, sock):
    reset(sock)


def cut_off_when_seen(upstreams, sock):
    upstreams.seen.wait(DEADLINE_S)
    reset(sock)


def stall(_, sock):
    wait_for_the_end(sock)


def raw_tls(data: bytes, then=wait_for_the_end):
    """A server that reads a ClientHello and says `data` instead of what TLS would."""

    def serve(sock):
        sock.recv(65536)
        sock.sendall(data)
        then(sock)

    return serve


def alert(number: int) -> bytes:
    return b"\x15\x03\x03\x00\x02\x02" + bytes([number])


def demand_certificate(context):
    """TLS 1.3 ends for the client before the server looks at its certificate: the alert comes instead of an answer."""

    def serve(sock):
        raw = sock.dup()
        raw.settimeout(DEADLINE_S)
        try:
            context.wrap_socket(sock, server_side=True)
        except OSError:
            # Unread bytes would make the system send a reset, which overtakes the alert.
            raw.shutdown(socket.SHUT_WR)
            wait_for_the_end(raw)

    return serve


@dataclass
class Row:
    name: str
    failure: tuple  # phase, kind, bytes of the body before it
    status: int  # of our own answer; 200: the upstream's, which is cut
    says: str = ""  # within the problem's detail, or the bytes of the body before the cut
    answer: bytes = b""
    then: object = None
    request: tuple = ("GET", b"")
    more: tuple = field(default=())


def http_rows() -> list:
    def head(name, kind, status, says, answer, then, phase="await-response", **more):
        return Row(name, (phase, kind, 0), status, says, answer, then, **more)

    def body(name, kind, answer, then):
        return Row(name, ("read-response", kind, 3), 200, "abc", answer, then)

    return [
        head("closed before an answer", "closed", 502, "closed the connection before its answer", b"", close),
        head("reset before an answer", "reset", 502, "reset the connection", b"", cut_off),
        head("silent", "timeout", 504, "did not answer in time", b"", stall),
        head("HEAD, closed before an answer", "closed", 502, "", b"", close, request=("HEAD", b"")),
        head("HEAD, silent", "timeout", 504, "", b"", stall, request=("HEAD", b"")),
        head("a head that is cut", "closed", 502, "closed the connection", COUNTED[:20], close),
        head("a head that stalls", "timeout", 504, "did not answer in time", COUNTED[:20], stall),
        head("a head of garbage", "protocol", 502, "is not HTTP/1.1", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", stall),
        head("another protocol", "protocol", 502, "switched", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", stall),
        head("hints, then closed", "closed", 502, "closed", b"HTTP/1.1 100 Continue\r\n\r\n", close),
        body("a body with a length, closed", "closed", COUNTED, close),
        body("a body in chunks, closed", "closed", CHUNKED, close),
        body("a body with a length, reset", "reset", COUNTED, cut_off_when_seen),
        body("a body in chunks, reset", "reset", CHUNKED, cut_off_when_seen),
        body("a body until the end, reset", "reset", UNTIL_CLOSE, cut_off_when_seen),
        body("a body with a length that stalls", "timeout", COUNTED, stall),
        body("a body in chunks that stalls", "timeout", CHUNKED, stall),
        body("a body in bad chunks", "protocol", CHUNKED + b"xyz\r\n", stall),
        head("POST, closed before an answer", "closed", 502, "closed", b"", close, request=("POST", b"a=1")),
        head("POST, reset", "reset", 502, "reset", b"", cut_off, request=("POST", b"a=1")),
        head("POST, silent", "timeout", 504, "in time", b"", stall, request=("POST", b"a=1")),
    ]


class FailureTableTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder)
        self.context = self.authority.server(HOST)
        self.fixed = ["--profile", "none", "--host", HOST, "--workers", "1", "--idle-timeout", WAIT_S]

    def server(self, serve, context=None) -> RawServer:
        server = RawServer(serve, context)
        self.addCleanup(server.close)
        return server

    def send(self, tapedeck, way: str, request: tuple, seen: threading.Event | None = None) -> Seen:
        method, body = request
        client = RawClient(tapedeck.port)
        with client:
            if way != "origin-form":
                port = 443 if way == "CONNECT, TLS" else 80
                self.assertEqual(client.ask(f"CONNECT {HOST}:{port} HTTP/1.1", f"Host: {HOST}:{port}").status, 200)
            if way == "CONNECT, TLS":
                client.start_tls(tapedeck.ca_file, HOST)
            host = "127.0.0.1" if way == "origin-form" else HOST
            length = f"Content-Length: {len(body)}\r\n" if body else ""
            kind = "Content-Type: application/x-www-form-urlencoded\r\n" if body else ""
            client.sock.sendall(f"{method} /{way[:3]} HTTP/1.1\r\nHost: {host}\r\n{kind}{length}\r\n".encode() + body)
            return self.read(client.sock, method, seen)

    def read(self, sock, method: str, seen: threading.Event | None) -> Seen:
        """Up to the end of the connection, or to a whole answer behind which the connection serves another request."""
        raw = b""
        try:
            while True:
                piece = sock.recv(65536)
                if not piece:
                    return Seen(raw, "FIN")
                raw += piece
                if seen and b"abc" in raw:
                    seen.set()
                answer = parse_answer(raw, method)
                if answer.error is None and b"problem+json" in raw:
                    sock.sendall(HEALTH)
                    return Seen(raw, "kept" if b" 200 OK" in read_head(sock) else "FIN")
        except ConnectionResetError:
            return Seen(raw, "RST")

    def rows(self, cassette) -> list:
        # Who still has the file open keeps the recorder from ending.
        with closing(sqlite3.connect(cassette)) as db:
            return db.execute(f"SELECT {', '.join(COLUMNS)} FROM exchanges ORDER BY id").fetchall()

    def record(self, row: Row, ways, scheme: str, dial: list, seen=None) -> tuple:
        """Records the row by each way: the cassette, the options that replaying needs too, what the client saw."""
        cassette = self.folder / (re.sub(r"\W+", "-", row.name) + ".cassette")
        fixed = [*self.fixed, "--upstream", f"{scheme}://{HOST}"]
        waits = ["--response-timeout", WAIT_S, "--connect-timeout", WAIT_S, "--upstream-ca", self.authority.file]
        recorder = self.tapedeck("record", cassette, *fixed, *waits, *dial, *row.more)
        recorded = []
        for way in ways:
            if seen:
                seen.clear()
            recorded.append(self.send(recorder, way, row.request, seen))
        self.stop_clean(recorder)
        for way, got in zip(ways, recorded):
            self.check_seen(row, got, way)
        phase, kind, size = row.failure
        for kept in self.rows(cassette):
            self.assertEqual(kept[:3] + kept[4:], (phase, kind, "upstream", size, "cut"), kept[3])
        self.assertEqual(len(self.rows(cassette)), len(ways))
        return cassette, fixed, recorded

    def check_seen(self, row: Row, seen: Seen, way: str) -> None:
        answer = parse_answer(seen.raw, row.request[0])
        self.assertEqual(answer.status, row.status, (way, seen))
        if row.status == 200:
            self.assertEqual(answer.body, row.says.encode(), (way, seen))
            self.assertNotEqual(seen.end, "kept")
            self.assertTrue(answer.error == "cut" or b"\r\n0\r\n" not in seen.raw, (way, seen))
            return
        self.assertEqual(seen.end, "kept", (way, seen))
        if row.request[0] == "HEAD":
            return
        problem = seen.problem()
        self.assertEqual(problem["type"], "urn:tapedeck:problem:upstream-" + row.failure[0])
        self.assertEqual(problem["status"], row.status)
        self.assertIn(row.says, problem["detail"])

    def replay(self, row: Row, ways, cassette, fixed, recorded) -> None:
        replayer = self.tapedeck("replay", cassette, *fixed)
        for way, expected in zip(ways, recorded):
            got = self.send(replayer, way, row.request)
            self.assertEqual(got.comparable(), expected.comparable(), way)
            # What went out once comes from the memo the next time.
            again = self.send(replayer, way, row.request)
            self.assertEqual(again.comparable(), expected.comparable(), way)
        self.stop_clean(replayer)

    def run_row(self, row: Row, ways, scheme: str, dial: list, servers=(), seen=None) -> None:
        with self.subTest(row.name):
            cassette, fixed, recorded = self.record(row, ways, scheme, dial, seen)
            for server in servers:
                server.close()
            self.replay(row, ways, cassette, fixed, recorded)

    def to(self, port: int, *places) -> list:
        return [part for place in places for part in ("--connect-to", f"{HOST}:{place}:127.0.0.1:{port}")]

    def test_upstreams_that_fail_in_http(self):
        for row in http_rows():
            upstreams = Upstreams(self.context)
            serve = upstreams.answer(row.answer, row.then)
            plain, secure = self.server(serve), self.server(serve, self.context)
            dial = [*self.to(plain.port, 80), *self.to(secure.port, 443)]
            self.run_row(row, ("CONNECT, TLS", "origin-form", "CONNECT, plain"), "http", dial, (plain, secure),
                         upstreams.seen)  # fmt: skip

    def test_places_that_cannot_be_reached(self):
        ways = ("CONNECT, TLS", "CONNECT, plain", "origin-form")
        closed = RawServer(lambda sock: None)
        closed.close()
        # A listener whose queue is full drops what would connect.
        full = socket.socket()
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        self.addCleanup(full.close)
        waiting = []
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(full.getsockname())
            self.addCleanup(waiting[-1].close)
        nowhere = [part for port in (80, 443) for part in ("--connect-to", f"{HOST}:{port}:nowhere.invalid:{port}")]
        multicast = [part for port in (80, 443) for part in ("--connect-to", f"{HOST}:{port}:224.0.0.1:{port}")]
        # The look-up of a name without a server may take its time.
        patient = ("--connect-timeout", "20")
        for row, dial in (
            (Row("no such name", ("resolve", "not-found", 0), 502, "no address (DNS)", more=patient), nowhere),
            (Row("refused", ("connect", "refused", 0), 502, "refused the connection"), self.to(closed.port, 80, 443)),
            (Row("unreachable", ("connect", "unreachable", 0), 502, "unreachable"), multicast),
            (Row("nobody accepts", ("connect", "timeout", 0), 504, "in time"), self.to(full.getsockname()[1], 80, 443)),
        ):
            self.run_row(row, ways, "http", dial)

    def tls_rows(self) -> list:
        def row(name, kind, says, status=502, phase="tls-handshake"):
            return Row(name, (phase, kind, 0), status, says)

        strangers = self.folder / "strangers"
        strangers.mkdir()
        demanding = self.authority.server(HOST)
        demanding.verify_mode = ssl.CERT_REQUIRED
        nothing = lambda sock: None  # noqa: E731
        return [
            (row("HTTP where TLS was expected", "protocol", "not TLS"), raw_tls(OK), None),
            (row("no shared cipher", "tls-alert", "handshake failure"), raw_tls(alert(40)), None),
            (row("no shared version", "tls-alert", "protocol version"), raw_tls(alert(70)), None),
            (row("a name that is not served", "tls-alert", "unrecognized name"), raw_tls(alert(112)), None),
            (row("closed in the handshake", "closed", "in the TLS handshake"), raw_tls(b"", nothing), None),
            (row("reset in the handshake", "reset", "reset"), raw_tls(b"", reset), None),
            (row("a handshake that stalls", "timeout", "in time", 504), raw_tls(b""), None),
            (row("an unknown authority", "certificate", "unable to get"), nothing, Authority(strangers).server(HOST)),
            (row("an expired certificate", "certificate", "expired"), nothing, self.authority.server(HOST, -1)),
            (row("another name", "certificate", "mismatch"), nothing, self.authority.server(OTHER)),
            (row("a client certificate", "tls-alert", "certificate required", phase="await-response"),
             demand_certificate(demanding), None),
        ]  # fmt: skip

    def test_upstreams_that_fail_in_tls(self):
        for row, serve, context in self.tls_rows():
            server = self.server(serve, context)
            self.run_row(row, ("CONNECT, TLS", "origin-form"), "https", self.to(server.port, 443), (server,))

    def pairs(self, cassette) -> list:
        return [(kept[0], kept[1], kept[2], kept[5]) for kept in self.rows(cassette)]

    def test_a_client_that_leaves_in_its_upload_is_no_answer_to_anybody(self):
        server = self.server(wait_for_the_end)
        cassette, dial = self.folder / "left.cassette", self.to(server.port, 80)
        fixed = [*self.fixed, "--upstream", f"http://{HOST}"]
        recorder = self.tapedeck("record", cassette, *fixed, *dial)
        post = b"POST /up HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nabc"
        with RawClient(recorder.port) as client:
            client.sock.sendall(post)
            wait_until(lambda: server.open == 1, "the request at the upstream")
        wait_until(lambda: server.open == 0, "the end of the request that nobody finishes")
        self.stop_clean(recorder)
        self.assertEqual(self.pairs(cassette), [("send-request", "closed", "client", "cut")])
        replayer = self.tapedeck("replay", cassette, *fixed)
        with RawClient(replayer.port) as client:
            client.sock.sendall(post + b"defghi")
            self.assertEqual(client.read_answer().status, 501)

    def test_an_answer_whose_client_left_is_kept_whole(self):
        left = threading.Event()

        def serve(sock):
            read_head(sock)
            sock.sendall(COUNTED)
            left.wait(DEADLINE_S)
            sock.sendall(b"def")
            sock.sendall(b"ghi")
            wait_for_the_end(sock)

        server = self.server(serve)
        cassette = self.folder / "leaves.cassette"
        fixed = [*self.fixed, "--upstream", f"http://{HOST}"]
        recorder = self.tapedeck("record", cassette, *fixed, *self.to(server.port, 80))
        with RawClient(recorder.port) as client:
            client.sock.sendall(b"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            self.assertIn(b"200 OK", read_head(client.sock))
            reset(client.sock)
        left.set()
        wait_until(lambda: self.rows(cassette), "the recording")
        self.stop_clean(recorder)
        server.close()
        self.assertEqual(self.pairs(cassette), [(None, None, None, "whole")])
        replayer = self.tapedeck("replay", cassette, *fixed)
        with RawClient(replayer.port) as client:
            self.assertEqual(client.ask("GET /a HTTP/1.1", "Host: 127.0.0.1").body, b"abcdefghi")

    def test_auto_passes_failures_on_and_keeps_them_only_when_told(self):
        row = http_rows()[0]
        server = self.server(Upstreams(None).answer(row.answer, row.then))
        fixed = [*self.fixed, "--upstream", f"http://{HOST}"]
        for options, kept in (((), 0), (("--keep-errors",), 1)):
            with self.subTest(options):
                cassette = self.folder / f"auto-{kept}.cassette"
                auto = self.tapedeck("auto", cassette, *fixed, *self.to(server.port, 80), *options)
                self.check_seen(row, self.send(auto, "origin-form", row.request), "auto")
                self.stop_clean(auto)
                self.assertEqual(len(self.rows(cassette)), kept)
