"""Thousands of clients that have asked once and keep their connections cost little memory.

TAPEDECK_CONNECTIONS is how many (10000, in sanitized programs 200, whose memory says nothing and is not looked at).
"""

import os
import resource
import socket
import ssl
from contextlib import ExitStack

from support.case import TapedeckCase
from support.processes import wait_until
from support.raw_server import EchoServer, RawClient

HOST = "api.roaring.io"
SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ
CONNECTIONS = int(os.environ.get("TAPEDECK_CONNECTIONS", "200" if SANITIZED else "10000"))
# Plain ones need less, and TLS that kept its buffers would need more.
BYTES_MAX = {"http": 200 * 10**6, "https": 400 * 10**6}
REQUEST = b"GET /once HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def raise_file_limit(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 500  # in each of the two processes
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


def peak_bytes(pid: int) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


class ManyConnectionsTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        raise_file_limit(CONNECTIONS)
        self.cassette = self.folder / "many.cassette"
        self.echo = EchoServer()
        self.addCleanup(self.echo.close)
        to = ["--connect-to", f"{HOST}:80:127.0.0.1:{self.echo.port}"]
        recorder = self.tapedeck("record", self.cassette, "--upstream", f"http://{HOST}", *to)
        self.assertEqual(self.ask(socket.create_connection(("127.0.0.1", recorder.port))), b"GET /once HTTP/1.1")
        self.stop_clean(recorder)

    def ask(self, sock) -> bytes:
        sock.settimeout(20)
        sock.sendall(REQUEST)
        answer = b""
        while not answer.endswith(b"HTTP/1.1") or len(answer) < 30:
            piece = sock.recv(4096)
            if not piece:
                raise EOFError(answer)
            answer += piece
        return answer.rpartition(b"\r\n")[2]

    def hold(self, scheme: str) -> None:
        replayer = self.tapedeck("replay", self.cassette, "--upstream", f"http://{HOST}")
        context = ssl.create_default_context(cafile=replayer.ca_file)
        context.check_hostname = False
        with ExitStack() as stack:
            held = []
            for _ in range(CONNECTIONS):
                sock = socket.create_connection(("127.0.0.1", replayer.port))
                if scheme == "https":
                    sock = context.wrap_socket(sock)
                stack.callback(sock.close)
                self.assertEqual(self.ask(sock), b"GET /once HTTP/1.1")
                held.append(sock)
            # Each still works after it was idle.
            for sock in (held[0], held[-1]):
                self.assertEqual(self.ask(sock), b"GET /once HTTP/1.1")
            peak = peak_bytes(replayer.pid)
        print(f"{CONNECTIONS} idle connections, {scheme}: {peak / 10**6:.0f} MB at most")
        self.stop_clean(replayer)
        if not SANITIZED:
            self.assertLess(peak, BYTES_MAX[scheme])

    def test_plain_ones(self):
        self.hold("http")

    def test_tls_ones(self):
        self.hold("https")


class ManyUpstreamsTest(TapedeckCase):
    def test_idle_connections_to_upstreams_are_bounded_over_all_origins(self):
        """Each origin is asked once, over one connection of a client; all are one server in truth."""
        origins, kept_max = 300, 128
        upstream = EchoServer()
        self.addCleanup(upstream.close)
        recorder = self.tapedeck(
            "record", self.folder / "origins.cassette", "--workers", "1", "--host", "*.many.example",
            "--connect-to", f":80:127.0.0.1:{upstream.port}",
        )  # fmt: skip
        with RawClient(recorder.port) as client:
            for number in range(origins):
                host = f"host-{number}.many.example"
                self.assertEqual(client.ask(f"GET http://{host}/ HTTP/1.1", f"Host: {host}").status, 200)
            self.assertEqual(upstream.connections, origins)
            wait_until(lambda: upstream.open <= kept_max, "the surplus to be closed")
            # The newest are the ones that are kept.
            client.ask(f"GET http://{host}/again HTTP/1.1", f"Host: {host}")
            self.assertEqual(upstream.connections, origins)
            client.ask("GET http://host-0.many.example/again HTTP/1.1", "Host: host-0.many.example")
            self.assertEqual(upstream.connections, origins + 1)
        self.stop_clean(recorder)
