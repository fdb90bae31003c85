"""Hosts that nobody named pass unread while recording, and not at all while replaying or for other machines."""

import hashlib
import json
import os
import socket
import threading

from support.case import TapedeckCase
from support.processes import wait_until
from support.raw_server import EchoServer, RawClient, RawServer, read_all, read_head

MIB = 1024 * 1024
NAME = "unnamed.example"


def speak_first(sock) -> None:
    """As a mail server does."""
    sock.sendall(b"220 ready\r\n")
    line = sock.makefile("rb").readline()
    sock.sendall(b"250 " + line)


class TunnelsTest(TapedeckCase):
    def server(self, serve) -> RawServer:
        server = RawServer(serve)
        self.addCleanup(server.close)
        return server

    def record(self, port: int, *options):
        to = ["--connect-to", f"{NAME}:25:127.0.0.1:{port}", "--connect-to", f"192.0.2.25:25:127.0.0.1:{port}"]
        return self.tapedeck("record", self.folder / "tunnels.cassette", *to, *options)

    def open(self, tapedeck, authority: str = f"{NAME}:25") -> RawClient:
        client = RawClient(tapedeck.port)
        self.addCleanup(client.sock.close)
        self.assertEqual(client.ask(f"CONNECT {authority} HTTP/1.1", f"Host: {authority}").status, 200)
        return client

    def test_a_server_that_speaks_first(self):
        recorder = self.record(self.server(speak_first).port)
        for authority in (f"{NAME}:25", "192.0.2.25:25"):
            with self.subTest(authority):
                sock = self.open(recorder, authority).sock
                self.assertEqual(sock.recv(11, socket.MSG_WAITALL), b"220 ready\r\n")
                sock.sendall(b"HELO me\r\n")
                self.assertEqual(read_all(sock), b"250 HELO me\r\n")
        said = self.stop_clean(recorder)
        self.assertIn(NAME, said)

    def test_a_client_that_is_slow_to_speak_to_an_address(self):
        echo = EchoServer()
        self.addCleanup(echo.close)
        recorder = self.record(echo.port)
        client = self.open(recorder, "192.0.2.25:25")
        # Once the address is dialled, the client speaks after all.
        wait_until(lambda: echo.connections == 1, "the dialled address")
        self.assertEqual(client.ask("GET /late HTTP/1.1", "Host: x").body, b"GET /late HTTP/1.1")
        self.assertEqual(echo.connections, 1)

    def test_a_slow_client_is_intercepted_by_name_though_its_address_cannot_be_dialled(self):
        recorder = self.recorder(self.stand_in(), self.folder / "slow.cassette")
        client = self.open(recorder, "127.0.0.1:443")
        wait_until(lambda: "no tunnel yet" in recorder.stderr(), "the vain dialling")
        client.start_tls(recorder.ca_file, "api.roaring.io")
        answer = client.ask("GET /__stand_in/unique/slow HTTP/1.1", "Host: api.roaring.io")
        self.assertEqual(answer.status, 200)

    def test_bytes_that_follow_connect_in_its_packet(self):
        recorder = self.record(self.server(lambda sock: sock.sendall(sock.recv(5, socket.MSG_WAITALL))).port)
        with RawClient(recorder.port) as client:
            client.sock.sendall(f"CONNECT {NAME}:25 HTTP/1.1\r\nHost: {NAME}\r\n\r\nearly".encode())
            self.assertIn(b" 200 ", read_head(client.sock))
            self.assertEqual(read_all(client.sock), b"early")

    def test_either_side_may_end_its_half_first(self):
        def client_first(sock):
            sock.sendall(b"got " + read_all(sock))

        def server_first(sock):
            sock.sendall(b"over")
            sock.shutdown(socket.SHUT_WR)
            heard.append(read_all(sock))

        recorder = self.record(self.server(client_first).port)
        sock = self.open(recorder).sock
        sock.sendall(b"all")
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(read_all(sock), b"got all")

        heard = []
        other = self.tapedeck(
            "record", self.folder / "other.cassette",
            "--connect-to", f"{NAME}:25:127.0.0.1:{self.server(server_first).port}",
        )  # fmt: skip
        sock = self.open(other).sock
        self.assertEqual(read_all(sock), b"over")
        sock.sendall(b"still here")
        sock.close()
        self.assertEqual(wait_until(lambda: heard, "the client's last words"), [b"still here"])

    def test_a_mebibyte_both_ways_at_once(self):
        def swap(sock):
            sender = threading.Thread(target=sock.sendall, args=(down,))
            sender.start()
            received.append(hashlib.sha256(read_all(sock)).digest())
            sender.join()

        up, down, received = os.urandom(MIB), os.urandom(MIB), []
        sock = self.open(self.record(self.server(swap).port)).sock

        def send():
            sock.sendall(up)
            sock.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        self.assertEqual(read_all(sock), down)
        sender.join()
        self.assertEqual(wait_until(lambda: received, "the upload"), [hashlib.sha256(up).digest()])

    def test_a_failure_to_dial_is_told_before_the_200(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            free_port = taken.getsockname()[1]
        recorder = self.record(free_port, "--host", "*.intercepted.example")
        for authority, words in ((f"{NAME}:25", b"refused"), ("nowhere.invalid:443", b"no address")):
            with RawClient(recorder.port) as client:
                answer = client.ask(f"CONNECT {authority} HTTP/1.1", f"Host: {authority}")
                self.assertEqual(answer.status, 502)
                self.assertEqual(answer.header("Content-Type"), "application/problem+json")
                self.assertIn(words, answer.body)
                self.assertTrue(client.is_closed())

    def test_replay_refuses_with_the_reason_in_the_status_line(self):
        cassette = self.folder / "empty.cassette"
        self.stop_clean(self.tapedeck("record", cassette))
        server = self.server(speak_first)
        replayer = self.tapedeck("replay", cassette, "--connect-to", f"{NAME}:25:127.0.0.1:{server.port}")
        with RawClient(replayer.port) as client:
            answer = client.ask(f"CONNECT {NAME}:25 HTTP/1.1", f"Host: {NAME}")
            self.assertEqual(answer.status_line, "HTTP/1.1 501 not-intercepted")
            self.assertEqual(json.loads(answer.body)["reason"], "not-intercepted")
        self.assertEqual(server.connections, 0)

    def test_for_other_machines_nothing_passes_that_was_not_named(self):
        echo = EchoServer()
        self.addCleanup(echo.close)
        recorder = self.record(echo.port, "--allow-remote", "--connect-to", f"{NAME}:80:127.0.0.1:{echo.port}")
        for line in (f"CONNECT {NAME}:25 HTTP/1.1", f"GET http://{NAME}/ HTTP/1.1", f"GET https://{NAME}/ HTTP/1.1"):
            with self.subTest(line), RawClient(recorder.port) as client:
                answer = client.ask(line, f"Host: {NAME}")
                self.assertEqual(answer.status, 403)
                self.assertEqual(answer.header("Content-Type"), "application/problem+json")
                self.assertIn("--host", json.loads(answer.body)["detail"])
        # What an address stands for shows only with the request.
        client = self.open(recorder, "192.0.2.25:25")
        self.assertEqual(client.ask("GET / HTTP/1.1", "Host: 192.0.2.25:25").status, 403)
        self.assertEqual(echo.connections, 0)
        self.stop_clean(recorder)
