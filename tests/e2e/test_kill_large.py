"""kill -9 while large bodies, slow streams and many small exchanges pass at once, in several sessions: what a client has
whole the cassette has, what was cut is a beginning of what was sent, and nothing else is in it."""

import os
import random
import shutil
import threading
import time

from support.case import TapedeckCase
from support.large import LargeClient, LargeOrigin, blocks, digest_of
from support.processes import run_tapedeck, wait_until

KILLS = int(os.environ.get("TAPEDECK_KILLS", "10"))
SEED = int(os.environ.get("TAPEDECK_SEED", str(random.SystemRandom().randrange(1 << 32))))
MIB = 1024 * 1024
LARGE = 24 * MIB
MOMENT_S_MAX = 0.8


class Load:
    """Clients that go on until the proxy is gone, and remember what they have whole: target to answer."""

    def __init__(self, port: int, number: int):
        self.whole = {}
        self._lock = threading.Lock()
        self._port = port
        tasks = [self.down, self.down, self.up, self.stream, self.small, self.small]
        self._threads = [threading.Thread(target=self._run, args=(task, f"{number}-{n}")) for n, task in enumerate(tasks)]
        for thread in self._threads:
            thread.start()

    def _run(self, task, name: str) -> None:
        fields = f"Tapedeck-Session: s{name}\r\n"
        for n in range(100_000):
            try:
                with LargeClient(self._port) as client:
                    target, answer = task(client, f"{name}-{n}", fields)
            except (OSError, ConnectionError, ValueError):
                return
            with self._lock:
                self.whole[target] = (fields, answer)

    @staticmethod
    def down(client, name: str, fields: str) -> tuple:
        target = f"/down/{LARGE}/chunked?{name}"
        client.ask(target, fields)
        return target, client.answer()

    @staticmethod
    def up(client, name: str, fields: str) -> tuple:
        target = f"/up?{name}"
        return target, client.upload(target, LARGE, True, fields=fields)

    @staticmethod
    def stream(client, name: str, fields: str) -> tuple:
        target = f"/drip/200000?{name}"
        client.ask(target, fields)
        return target, client.answer()

    @staticmethod
    def small(client, name: str, fields: str) -> tuple:
        target = f"/down/20000?{name}"
        client.ask(target, fields)
        return target, client.answer()

    def count(self) -> int:
        with self._lock:
            return len(self.whole)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


class KillLargeTest(TapedeckCase):
    def test_large_bodies_streams_and_parallel_sessions(self):
        print(f"       seed {SEED}, {KILLS} kills")
        dice = random.Random(SEED)
        self.origin = LargeOrigin()
        self.addCleanup(self.origin.close)
        self.cut = 0
        for number in range(KILLS):
            with self.subTest(kill=number, seed=SEED):
                self.kill_once(number, dice.uniform(0, MOMENT_S_MAX))
        print(f"       {self.cut} exchanges were cut in the middle of a long body")
        self.assertGreater(self.cut, 0, "no kill met a long body")

    def kill_once(self, number: int, moment_s: float) -> None:
        cassette = self.folder / f"kill-{number}" / "killed.cassette"
        cassette.parent.mkdir()
        upstream = ("--profile", "none", "--upstream", f"http://127.0.0.1:{self.origin.port}")
        recorder = self.tapedeck("record", cassette, *upstream)
        load = Load(recorder.port, number)
        wait_until(lambda: load.count() > 3, "the first answers")
        time.sleep(moment_s)  # The moment is what is random here; nothing is waited for.
        recorder.kill()
        load.join()
        self.assert_what_is_left(cassette)
        takes = run_tapedeck(self.folder, "takes", "--cassette", cassette)
        self.assertIn("interrupted", takes.stdout, takes.stderr)
        replayer = self.tapedeck("replay", cassette, *upstream)
        for target, (fields, answer) in load.whole.items():
            self.assertEqual(self.ask_again(replayer.port, target, fields), answer, target)
        self.stop_clean(replayer)
        # The next writer says in the file what was cut, and records on.
        again = self.tapedeck("record", cassette, *upstream)
        with LargeClient(again.port) as client:
            client.ask("/down/20000?after")
            self.assertEqual(client.answer(), (200, 20000, digest_of(20000)))
        self.stop_clean(again)
        self.assert_what_is_left(cassette, recovered=True)
        shutil.rmtree(cassette.parent)

    @staticmethod
    def ask_again(port: int, target: str, fields: str) -> tuple:
        with LargeClient(port) as client:
            if target.startswith("/up"):
                return client.upload(target, LARGE, True, fields=fields)
            client.ask(target, fields)
            return client.answer()

    def assert_what_is_left(self, cassette, recovered: bool = False):
        columns = "state, target, method, request_body, response_body"
        with self.sound_copy(cassette) as connection:
            for state, target, method, request_body, response_body in connection.execute(
                f"SELECT {columns} FROM exchanges"
            ).fetchall():
                self.assertIn(state, ("whole", "cut") if recovered else ("whole", "open"), target)
                body = request_body if method == "POST" else response_body
                if state == "whole" or body is None:
                    continue
                self.cut += not recovered
                self.assert_prefix(connection, body)

    def assert_prefix(self, connection, body: int):
        kept, digest, first = connection.execute(
            "SELECT size, digest, first_piece FROM bodies WHERE id = ?", (body,)
        ).fetchone()
        self.assertIsNone(digest, "a body that is not whole has no digest")
        pieces = connection.execute("SELECT bytes FROM body_pieces WHERE body = ? ORDER BY n", (body,))
        data = first + b"".join(piece for (piece,) in pieces)
        self.assertEqual(len(data), kept)
        self.assertTrue(b"".join(blocks(LARGE)).startswith(data), "not a beginning of what was sent")
