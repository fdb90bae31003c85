"""auto: what is recorded is replayed, what is not is forwarded and kept."""

import json
import sqlite3
from contextlib import closing

from support.case import TapedeckCase
from support.processes import run_tapedeck

HOST = "api.roaring.io"


class AutoTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.cassette = self.folder / "auto.cassette"
        self.upstream = self.stand_in()

    def auto(self, *options, **more):
        return self.recorder(self.upstream, self.cassette, *options, mode="auto", **more)

    def count(self, tapedeck, name: str) -> int:
        answer = self.client("curl", tapedeck, "connect").send("GET", HOST, f"/__stand_in/counter/{name}", [])
        return json.loads(answer.body)["count"]

    def status(self, tapedeck, path: str) -> int:
        return self.client("curl", tapedeck, "connect").send("GET", HOST, path, []).status

    def test_new_is_recorded_once_and_replayed_afterwards(self):
        auto = self.auto()
        self.assertEqual([self.count(auto, "a"), self.count(auto, "a")], [1, 1])
        said = self.stop_clean(auto)
        self.assertIn(str(self.cassette), said)

        auto = self.auto()
        self.assertEqual([self.count(auto, "a"), self.count(auto, "b"), self.count(auto, "b")], [1, 1, 1])
        self.assertIn("take 2", self.stop_clean(auto))
        self.upstream.stop()

        replayer = self.tapedeck("replay", self.cassette)
        self.assertEqual([self.count(replayer, "a"), self.count(replayer, "b")], [1, 1])
        self.stop_clean(replayer)

    def test_a_recording_that_cannot_be_read_is_asked_for_upstream_and_skips_no_other(self):
        recorder = self.recorder(self.upstream, self.cassette)
        self.assertEqual([self.count(recorder, "a"), self.count(recorder, "a")], [1, 2])
        self.stop_clean(recorder)
        with closing(sqlite3.connect(self.cassette, isolation_level=None)) as cassette:
            cassette.execute(
                "UPDATE bodies SET size = size + 1 WHERE id ="
                " (SELECT response_body FROM exchanges WHERE target = '/__stand_in/counter/a' ORDER BY id LIMIT 1)"
            )
        auto = self.auto()
        self.assertEqual([self.count(auto, "a"), self.count(auto, "a")], [3, 2])
        self.stop_clean(auto)
        self.assertEqual(auto.stderr().count("the recording cannot be read"), 1)

    def test_once_adds_nothing_to_a_cassette_that_exists(self):
        auto = self.auto("--record", "once")
        self.count(auto, "a")
        self.stop_clean(auto)
        auto = self.auto("--record", "once")
        self.assertEqual(self.count(auto, "a"), 1)
        self.assertEqual(self.status(auto, "/__stand_in/unique/new"), 501)
        self.stop_clean(auto)

    def test_all_asks_the_upstream_each_time(self):
        auto = self.auto("--record", "all")
        self.assertEqual([self.count(auto, "a"), self.count(auto, "a")], [1, 2])
        self.stop_clean(auto)

    def test_passing_errors_are_not_kept_unless_asked(self):
        paths = ("/__stand_in/status/500", "/__stand_in/status/429", "/__stand_in/status/404", "/__stand_in/status/403")
        for options, kept in (((), [501, 501, 404, 403]), (("--keep-errors",), [500, 429, 404, 403])):
            with self.subTest(options):
                self.cassette = self.folder / f"errors-{len(options)}.cassette"
                auto = self.auto(*options)
                self.assertEqual([self.status(auto, path) for path in paths], [500, 429, 404, 403])
                self.stop_clean(auto)
                replayer = self.tapedeck("replay", self.cassette)
                self.assertEqual([self.status(replayer, path) for path in paths], kept)
                self.stop_clean(replayer)

    def test_record_keeps_all_errors(self):
        recorder = self.recorder(self.upstream, self.cassette)
        self.assertEqual(self.status(recorder, "/__stand_in/status/500"), 500)
        self.stop_clean(recorder)
        replayer = self.tapedeck("replay", self.cassette)
        self.assertEqual(self.status(replayer, "/__stand_in/status/500"), 500)

    def test_nothing_is_recorded_under_ci(self):
        auto = self.auto()
        self.count(auto, "a")
        self.stop_clean(auto)
        auto = self.auto(env={"CI": "true"})
        self.assertEqual(self.count(auto, "a"), 1)
        self.assertEqual(self.status(auto, "/__stand_in/unique/new"), 501)
        self.stop_clean(auto)
        auto = self.auto("--record-in-ci", env={"CI": "true"})
        self.assertEqual(self.status(auto, "/__stand_in/unique/new"), 200)
        self.stop_clean(auto)

    def test_takes_name_what_happened(self):
        for mode in ("record", "auto"):
            tapedeck = self.recorder(self.upstream, self.cassette, mode=mode)
            self.status(tapedeck, f"/__stand_in/unique/{mode}")
            self.stop_clean(tapedeck)
        takes = run_tapedeck(self.folder, "takes", "--cassette", self.cassette)
        self.assertEqual(takes.returncode, 0, takes.stderr)
        for word in ("replace", "extend", "complete"):
            self.assertIn(word, takes.stdout)


class TakesTest(TapedeckCase):
    def test_the_newer_take_wins_and_can_be_dropped(self):
        cassette = self.folder / "takes.cassette"
        stand_in = self.stand_in()
        for _ in range(2):
            recorder = self.recorder(stand_in, cassette)
            self.client("curl", recorder, "connect").send("GET", HOST, "/__stand_in/counter/t", [])
            said = self.stop_clean(recorder)
        self.assertIn("takes drop last", said)
        self.assertEqual(self.replayed_count(cassette), 2)
        dropped = run_tapedeck(self.folder, "takes", "drop", "last", "--cassette", cassette)
        self.assertEqual(dropped.returncode, 0, dropped.stderr)
        self.assertEqual(self.replayed_count(cassette), 1)

    def replayed_count(self, cassette) -> int:
        replayer = self.tapedeck("replay", cassette)
        answer = self.client("curl", replayer, "connect").send("GET", HOST, "/__stand_in/counter/t", [])
        self.stop_clean(replayer)
        return json.loads(answer.body)["count"]

    def test_new_refuses_and_replace_swaps(self):
        cassette = self.folder / "dispositions.cassette"
        stand_in = self.stand_in()
        for options, name in (((), "one"), (("--replace",), "two")):
            recorder = self.recorder(stand_in, cassette, *options)
            self.client("curl", recorder, "connect").send("GET", HOST, f"/__stand_in/unique/{name}", [])
            self.stop_clean(recorder)
        replayer = self.tapedeck("replay", cassette)
        client = self.client("curl", replayer, "connect")
        statuses = [client.send("GET", HOST, f"/__stand_in/unique/{name}", []).status for name in ("one", "two")]
        self.assertEqual(statuses, [501, 200])
        self.stop_clean(replayer)
        before = cassette.read_bytes()
        refused = run_tapedeck(self.folder, "record", "--new", "--cassette", cassette, "--listen", "127.0.0.1:0")
        self.assertIn(refused.returncode, (1, 2), refused.stderr)
        self.assertIn(str(cassette), refused.stderr)
        self.assertEqual(cassette.read_bytes(), before)
