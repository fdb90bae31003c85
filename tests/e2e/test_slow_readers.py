"""Clients that ask for much, stop reading and go on later get everything, and what waited for them is given back.

In sanitized programs memory says nothing and is not looked at.
"""

import os
import random
import re
import socket
import ssl
from pathlib import Path

from support.case import TapedeckCase
from support.hostile import HOST, SayingUpstream
from support.processes import wait_until
from support.raw_server import DEADLINE_S, read_body, read_head

SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ
CONNECTIONS = 50
MB = 10**6
HELD_MIN = 20 * MB  # while the clients do not read: a large answer each
LEFT_MAX = 10 * MB  # by idle connections, and what malloc keeps in small pieces

# More than the system takes for a client that does not read (4 MB, tcp_wmem). A lone answer waits where it is kept for
# all; behind another one it has to be copied.
ASKED = ("/small", *["/large"] * 11)
BODIES = {"/small": b"small", "/large": random.Random(1).randbytes(512 * 1024)}
ANSWERS = {
    target: (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), False)
    for target, body in BODIES.items()
}

# By itself malloc learns from large blocks that are freed and keeps the next ones for later, up to tens of megabytes.
# Here all that is freed is seen to be free.
PLAIN_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536"}


def resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


class SlowReadersTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        upstream = SayingUpstream(ANSWERS)
        self.addCleanup(upstream.close)
        self.cassette, self.options = self.folder / "slow.cassette", upstream.options()
        recorder = self.tapedeck("record", self.cassette, *self.options)
        sock = self.connect(recorder, "http")
        for target in BODIES:
            self.ask(sock, target)
            self.read_answers(sock, target)
        self.stop_clean(recorder)

    def connect(self, tapedeck, scheme: str):
        sock = socket.socket()
        # Little waits on the client's side of the network.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(DEADLINE_S)
        sock.connect(("127.0.0.1", tapedeck.port))
        if scheme == "https":
            context = ssl.create_default_context(cafile=tapedeck.ca_file)
            context.check_hostname = False
            sock = context.wrap_socket(sock)
        self.addCleanup(sock.close)
        return sock

    def ask(self, sock, *targets: str) -> None:
        heads = [f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" for target in targets]
        sock.sendall("".join(heads).encode())

    def read_answers(self, sock, *targets: str) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)
        for target in targets:
            head = read_head(sock)
            self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
            self.assertTrue(read_body(sock, head) == BODIES[target], f"{target} came back changed")

    def stop_reading_and_go_on(self, scheme: str) -> None:
        replayer = self.tapedeck("replay", self.cassette, *self.options, env=PLAIN_MALLOC)

        def grown() -> int:
            return resident_bytes(replayer.pid) - before

        # What the program keeps for all connections together is there before it is measured.
        first = self.connect(replayer, scheme)
        self.ask(first, *ASKED)
        self.read_answers(first, *ASKED)
        before = resident_bytes(replayer.pid)

        socks = [self.connect(replayer, scheme) for _ in range(CONNECTIONS)]
        for sock in socks:
            self.ask(sock, *ASKED)
        if not SANITIZED:
            wait_until(lambda: grown() > HELD_MIN, "the answers to wait for their readers")
        held = grown()
        for sock in socks:
            self.read_answers(sock, *ASKED)
        if not SANITIZED:
            try:
                wait_until(lambda: grown() < LEFT_MAX, "memory to be given back", DEADLINE_S)
            except TimeoutError as error:
                self.fail(f"{error}: {grown() / MB:.0f} MB are left of {held / MB:.0f}")
            print(f"       {CONNECTIONS} slow readers, {scheme}: {held / MB:.0f} MB held, {grown() / MB:.0f} MB left")
        for sock in socks:
            self.ask(sock, "/small")
            self.read_answers(sock, "/small")
        self.assertIn(" 0 misses", self.stop_clean(replayer))

    def test_plain_ones(self):
        self.stop_reading_and_go_on("http")

    def test_tls_ones(self):
        self.stop_reading_and_go_on("https")
