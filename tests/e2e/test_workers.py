"""However many workers replay, clients get the same, and nobody holds up the end."""

import contextlib
import os
import re
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.case import TapedeckCase
from support.hostile import SayingUpstream
from support.processes import BINARY, PYTHON, run_tapedeck, wait_until
from support.raw_server import DEADLINE_S, RawClient

SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ
# Whether an object is what it should be UBSan finds out by way of a pipe; without a descriptor for it, it never is.
UBSAN = BINARY.parent.name == "asan"
CLIENTS = 12
ROUNDS = 20
BODIES = {f"/{number}": b"answer %d" % number for number in range(5)}
ANSWERS = {
    target: (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), False)
    for target, body in BODIES.items()
}
ASKER = """
import os, sys, urllib.request
base = os.environ["TAPEDECK_BASE_URL"]
for target, body in {bodies!r}.items():
    got = urllib.request.urlopen(base + target, timeout={deadline}).read()
    sys.exit(7) if got != body else None
sys.exit(3)
"""


def waits_of_main_thread(pid: int) -> int:
    status = Path(f"/proc/{pid}/task/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^voluntary_ctxt_switches:\t(\d+)$", status, re.MULTILINE)[1])


class WorkersTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        upstream = SayingUpstream(ANSWERS)
        self.addCleanup(upstream.close)
        self.cassette, self.options = self.folder / "workers.cassette", upstream.options()
        recorder = self.tapedeck("record", self.cassette, *self.options)
        with self.connect(recorder, "http") as client:
            self.ask_all(client)
        self.stop_clean(recorder)

    def connect(self, tapedeck, scheme: str) -> RawClient:
        client = RawClient(tapedeck.port)
        if scheme == "https":
            client.start_tls(tapedeck.ca_file, None)
        return client

    def ask_all(self, client: RawClient) -> None:
        for target, body in BODIES.items():
            answer = client.ask(f"GET {target} HTTP/1.1", "Host: 127.0.0.1")
            self.assertEqual((answer.status, answer.body), (200, body))

    def ask_without_end(self, client: RawClient, answered: threading.Event) -> None:
        """Until the other side closes."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                self.ask_all(client)
                answered.set()

    def replay_with(self, workers: int) -> None:
        replayer = self.tapedeck("replay", self.cassette, *self.options, "--workers", workers)
        if not SANITIZED:
            self.assertEqual(len(list(Path(f"/proc/{replayer.pid}/task").iterdir())), workers + 1)

        def be_client(number: int) -> None:
            with self.connect(replayer, ("http", "https")[number % 2]) as client:
                for _ in range(ROUNDS):
                    self.ask_all(client)

        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(be_client, range(CLIENTS)))
        # Whoever is idle does not hold up the end, nor who has sent half a request, nor who never pauses.
        idle, half, busy = (self.connect(replayer, scheme) for scheme in ("https", "http", "http"))
        for client in (idle, half, busy):
            self.addCleanup(client.sock.close)
        self.ask_all(idle)
        half.sock.sendall(b"GET /1 HT")
        with ThreadPoolExecutor(1) as others:
            answered = threading.Event()
            asking = others.submit(self.ask_without_end, busy, answered)
            self.assertTrue(answered.wait(DEADLINE_S))
            said = self.stop_clean(replayer)
            asking.result(DEADLINE_S)
        self.assertIn(" 0 misses", said)

    def test_one(self):
        self.replay_with(1)

    def test_two(self):
        self.replay_with(2)

    def test_a_new_connection_runs_the_one_worker_and_no_other_thread(self):
        replayer = self.tapedeck("replay", self.cassette, *self.options, "--workers", 1)
        with self.connect(replayer, "http") as client:
            self.ask_all(client)
        before = waits_of_main_thread(replayer.pid)
        for number in range(CLIENTS):
            with self.connect(replayer, ("http", "https")[number % 2]) as client:
                self.ask_all(client)
        # It may have come to its first wait only now.
        self.assertLessEqual(waits_of_main_thread(replayer.pid), before + 1)
        self.stop_clean(replayer)

    def test_connections_that_come_while_it_ends(self):
        replayer = self.tapedeck("replay", self.cassette, *self.options, "--workers", 4)
        ended = threading.Event()

        def connect_without_end(answered: threading.Event) -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError, EOFError), self.connect(replayer, "http") as client:
                    self.ask_all(client)
                    answered.set()

        with ThreadPoolExecutor(CLIENTS) as clients:
            try:
                all_answered = [threading.Event() for _ in range(CLIENTS)]
                connecting = [clients.submit(connect_without_end, answered) for answered in all_answered]
                for answered in all_answered:
                    self.assertTrue(answered.wait(DEADLINE_S))
                said = self.stop_clean(replayer)
            finally:
                ended.set()
            for client in connecting:
                client.result(DEADLINE_S)
        self.assertIn(" 0 misses", said)

    def test_a_connection_waits_while_there_are_no_file_descriptors(self):
        for workers in () if UBSAN else (1, 2):
            with self.subTest(workers=workers):
                self.wait_for_a_descriptor(workers)

    def wait_for_a_descriptor(self, workers: int) -> None:
        replayer = self.tapedeck("replay", self.cassette, *self.options, "--workers", workers)
        held = []
        for _ in range(2):
            held.append(self.connect(replayer, "http"))
            self.addCleanup(held[-1].sock.close)
            self.ask_all(held[-1])
        before = resource.prlimit(replayer.pid, resource.RLIMIT_NOFILE)
        open_now = [int(entry.name) for entry in Path(f"/proc/{replayer.pid}/fd").iterdir()]
        resource.prlimit(replayer.pid, resource.RLIMIT_NOFILE, (max(open_now) + 1, before[1]))
        waiting = self.connect(replayer, "http")
        self.addCleanup(waiting.sock.close)
        wait_until(lambda: "cannot accept" in replayer.stderr(), "the warning")
        held.pop().sock.close()
        self.ask_all(waiting)
        self.ask_all(held[0])
        # Nor does a connection that waits in vain hold up the end.
        vain = self.connect(replayer, "http")
        self.addCleanup(vain.sock.close)
        wait_until(lambda: replayer.stderr().count("cannot accept") == 2, "the second warning")
        said = self.stop_clean(replayer)
        self.assertIn("ulimit -n", said)
        # Each time it is said once, however often it is tried.
        self.assertEqual(said.count("cannot accept"), 2)

    def test_a_wrapped_command_beside_one_worker(self):
        asker = ASKER.format(bodies=BODIES, deadline=DEADLINE_S)
        options = ("--cassette", self.cassette, *self.options, "--workers", "1")
        ran = run_tapedeck(self.folder, "replay", *options, "--", PYTHON, "-c", asker)
        self.assertEqual(ran.returncode, 3, ran.stderr)
        self.assertIn(" 0 misses", ran.stderr)
