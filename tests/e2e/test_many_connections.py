"""Thousands of clients that have asked once and keep their connections cost little memory.

TAPEDECK_CONNECTIONS is how many (2000); the bound is that of 10,000 under 600 MB, in proportion.
"""

import os
import resource
import socket
import ssl
from contextlib import ExitStack

from support.case import TapedeckCase
from support.raw_server import EchoServer

HOST = "api.roaring.io"
CONNECTIONS = int(os.environ.get("TAPEDECK_CONNECTIONS", "2000"))
BYTES_A_CONNECTION = 600 * 10**6 // 10_000
# What the program needs without any connection; sanitizers need more and are not what is measured here.
BASE_BYTES = 60 * 10**6
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

    def hold(self, scheme: str) -> int:
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
        return peak

    def test_plain_ones(self):
        self.assertLess(self.hold("http"), BASE_BYTES + CONNECTIONS * BYTES_A_CONNECTION)

    def test_tls_ones(self):
        self.assertLess(self.hold("https"), BASE_BYTES + CONNECTIONS * BYTES_A_CONNECTION)
