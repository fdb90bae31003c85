"""The key index of a large cassette: kept in the cache folder, used while it is fresh, made anew otherwise."""

import json
import sqlite3
import sys
from contextlib import closing

from support import REPOSITORY
from support.case import TapedeckCase

sys.path.insert(0, str(REPOSITORY / "tests" / "bench"))

import big_cassette  # noqa: E402

HOST = "api.roaring.io"
PLACE = "/__stand_in/unique/"
EXCHANGES = 12_000
MADE, USED = "made the key index", "using the key index"


class IndexTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.cassette = self.folder / "big.cassette"
        self.cache = self.folder / "cache" / "tapedeck"
        small = self.folder / "small.cassette"
        recorder = self.recorder(self.stand_in(), small)
        self.client("curl", recorder, "connect").send("GET", HOST, PLACE + "a-name-of-some-length", [])
        self.stop_clean(recorder)
        big_cassette.multiply(small, self.cassette, EXCHANGES)

    def replayed(self) -> str:
        """Starts, asks for a few recordings, and returns what was said."""
        replayer = self.tapedeck("replay", self.cassette, "-v", env={"XDG_CACHE_HOME": str(self.cache.parent)})
        client = self.client("requests", replayer, "connect")
        for number in (1, 4711, EXCHANGES):
            answer = client.send("GET", HOST, PLACE + str(number), [])
            self.assertEqual((answer.status, json.loads(answer.body)["item"]), (200, number))
        self.assertEqual(client.send("GET", HOST, PLACE + str(EXCHANGES + 1), []).status, 501)
        replayer.stop()  # its exit code is that of a miss
        return replayer.stderr()

    def files(self) -> list:
        return sorted(self.cache.iterdir()) if self.cache.is_dir() else []

    def test_the_second_start_uses_the_index_of_the_first(self):
        first, second = self.replayed(), self.replayed()
        self.assertEqual([MADE in first, USED in first], [True, False], first)
        self.assertEqual([MADE in second, USED in second], [False, True], second)
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(self.cache.stat().st_mode & 0o777, 0o700)
        self.assertEqual(self.files()[0].stat().st_mode & 0o777, 0o600)

        with self.subTest("a changed cassette has a new index in the same place"):
            before = self.files()
            with closing(sqlite3.connect(self.cassette)) as connection, connection:
                connection.execute("UPDATE exchanges SET status = 203 WHERE id = 2")
            said = self.replayed()
            self.assertIn("have changed since", said)
            self.assertIn(MADE, said)
            self.assertEqual(self.files(), before)
            self.assertIn(USED, self.replayed())

        with self.subTest("it may be deleted, also while it is used"):
            replayer = self.tapedeck("replay", self.cassette, env={"XDG_CACHE_HOME": str(self.cache.parent)})
            self.files()[0].unlink()
            answer = self.client("curl", replayer, "connect").send("GET", HOST, PLACE + "17", [])
            self.assertEqual(json.loads(answer.body)["item"], 17)
            self.stop_clean(replayer)
            self.assertIn(MADE, self.replayed())
            self.assertEqual(len(self.files()), 1)

        with self.subTest("a damaged one is told, and gone for the next start"):
            file = self.files()[0]
            content = bytearray(file.read_bytes())
            middle = len(content) // 2
            content[middle:] = bytes(len(content) - middle)
            file.write_bytes(content)
            replayer = self.tapedeck("replay", self.cassette, env={"XDG_CACHE_HOME": str(self.cache.parent)})
            client = self.client("requests", replayer, "connect")
            answers = [client.send("GET", HOST, PLACE + str(number), []) for number in (1, 4711, EXCHANGES)]
            self.assertLessEqual({answer.status for answer in answers}, {200, 501})
            replayer.stop()
            self.assertEqual(replayer.stderr().count("is damaged"), 1, replayer.stderr())
            self.assertEqual(self.files(), [])
            self.assertIn(MADE, self.replayed())

    def test_a_cache_folder_that_cannot_be_written_is_no_failure(self):
        self.cache.parent.mkdir()
        self.cache.write_text("a file where the folder should be")
        said = self.replayed()
        self.assertIn("in memory only", said)
        self.assertNotIn(MADE, said)

    def test_nothing_is_written_beside_the_cassette_nor_for_a_small_one(self):
        self.replayed()
        self.assertEqual([file.name for file in self.folder.glob("big.cassette*")], ["big.cassette"])
        self.assertEqual(len(self.files()), 1)
        small = self.folder / "small.cassette"
        replayer = self.tapedeck("replay", small, env={"XDG_CACHE_HOME": str(self.cache.parent)})
        self.stop_clean(replayer)
        self.assertEqual(len(self.files()), 1)
