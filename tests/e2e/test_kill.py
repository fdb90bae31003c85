"""kill -9 at random moments while clients record: what a client received whole is in the cassette and replays."""

import os
import random
import shutil
import threading
import time

import requests

from support.case import TapedeckCase
from support.origin import unique_body
from support.processes import run_tapedeck, wait_until

KILLS = int(os.environ.get("TAPEDECK_KILLS", "10"))
SEED = int(os.environ.get("TAPEDECK_SEED", str(random.SystemRandom().randrange(1 << 32))))
WAYS = ("connect", "origin", "connect", "origin")  # one client thread each
LOAD_S_MAX = 0.6


class Load:
    """Client threads that ask for unique things until the proxy is gone, and remember what they received whole."""

    def __init__(self, tapedeck, name: str):
        self.received = {}  # path -> body
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(tapedeck, way, f"{name}-{number}"))
            for number, way in enumerate(WAYS)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, tapedeck, way: str, name: str) -> None:
        session = requests.Session()
        session.trust_env = False
        session.verify = tapedeck.ca_file
        if way == "connect":
            session.proxies = {"https": tapedeck.proxy_url}
        base = "https://api.roaring.io" if way == "connect" else tapedeck.base_url
        for n in range(1_000_000):
            path = f"/__stand_in/unique/{name}-{n}"
            try:
                answer = session.get(base + path, timeout=20)
            except requests.RequestException:
                return
            if self._stopped.is_set():
                return
            # Requests takes a cut body for a whole one, so its length is checked here.
            if answer.status_code == 200 and len(answer.content) == int(answer.headers["Content-Length"]):
                with self._lock:
                    self.received[path] = answer.content

    def count(self) -> int:
        with self._lock:
            return len(self.received)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


class KillTest(TapedeckCase):
    def test_what_a_client_has_the_cassette_has(self):
        print(f"       seed {SEED}, {KILLS} kills")
        dice = random.Random(SEED)
        stand_in = self.stand_in()
        total = 0
        for number in range(KILLS):
            with self.subTest(kill=number, seed=SEED):
                total += self.kill_once(number, stand_in, dice.uniform(0, LOAD_S_MAX))
        self.assertGreater(total, KILLS * 5, "there was hardly any load")

    def kill_once(self, number: int, stand_in, moment_s: float) -> int:
        cassette = self.folder / f"kill-{number}" / "killed.cassette"
        cassette.parent.mkdir()
        recorder = self.recorder(stand_in, cassette, "--upstream", "https://api.roaring.io")
        load = Load(recorder, f"k{number}")
        wait_until(lambda: load.count() > len(WAYS), "the first answers")
        time.sleep(moment_s)  # The moment is what is random here; nothing is waited for.
        recorder.kill()
        load.join()
        with self.sound_copy(cassette):
            pass
        takes = run_tapedeck(self.folder, "takes", "--cassette", cassette)
        self.assertEqual(takes.returncode, 0, takes.stderr)
        self.assertIn("interrupted", takes.stdout)
        self.assert_replays(cassette, load.received)
        shutil.rmtree(cassette.parent)
        return len(load.received)

    def assert_replays(self, cassette, received: dict):
        replayer = self.tapedeck("replay", cassette, "--upstream", "https://api.roaring.io")
        with requests.Session() as session:
            session.trust_env = False
            for path, body in received.items():
                answer = session.get(replayer.base_url + path, timeout=20)
                self.assertEqual((path, answer.status_code), (path, 200))
                self.assertEqual(answer.content, body)
                self.assertEqual(body.decode(), unique_body(path.rpartition("/")[2]))
        self.stop_clean(replayer)


class RecoveryTest(TapedeckCase):
    def ask(self, tapedeck, name: str):
        return self.client("curl", tapedeck, "connect").send("GET", "api.roaring.io", f"/__stand_in/unique/{name}", [])

    def test_recording_goes_on_after_a_kill(self):
        """The next writer takes the lock over, keeps what is there, and adds a take of its own."""
        cassette = self.folder / "recovered.cassette"
        stand_in = self.stand_in()
        for name in ("first", "second"):
            recorder = self.recorder(stand_in, cassette)
            self.ask(recorder, name)
            if name == "first":
                recorder.kill()
            else:
                self.stop_clean(recorder)
        replayer = self.tapedeck("replay", cassette)
        for name in ("first", "second"):
            answer = self.ask(replayer, name)
            self.assertEqual((answer.status, answer.body.decode()), (200, unique_body(name)))
        takes = run_tapedeck(self.folder, "takes", "--cassette", cassette)
        self.assertIn("interrupted", takes.stdout)
        self.assertIn("complete", takes.stdout)
