"""The base of the end-to-end tests: a folder of its own, and what several of them do."""

import contextlib
import shutil
import sqlite3
import tempfile
import unittest
from pathlib import Path

from support.clients import CLIENTS, Route
from support.processes import FIRST_KEYS, StandIn, Tapedeck
from support.sessions import Knowledge, exchanges_for, perform


class TapedeckCase(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="tapedeck-e2e-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def stand_in(self, *options, **more) -> StandIn:
        stand_in = StandIn(self.folder, *options, **more)
        self.addCleanup(stand_in.kill)
        return stand_in

    def tapedeck(self, mode: str, cassette: Path, *options, **more) -> Tapedeck:
        tapedeck = Tapedeck(self.folder, mode, cassette, *options, **more)
        self.addCleanup(tapedeck.kill)
        return tapedeck

    def recorder(self, stand_in: StandIn, cassette: Path, *options, mode: str = "record", **more) -> Tapedeck:
        return self.tapedeck(mode, cassette, *stand_in.upstream_options(), *options, **more)

    @contextlib.contextmanager
    def sound_copy(self, cassette: Path):
        """A connection to a copy of what a killed run left, since opening it recovers it; SQLite finds no fault in it."""
        with tempfile.TemporaryDirectory(dir=self.folder) as copy:
            for file in cassette.parent.glob(cassette.name + "*"):
                shutil.copy(file, copy)
            with contextlib.closing(sqlite3.connect(Path(copy) / cassette.name)) as connection:
                self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
                self.assertEqual(connection.execute("PRAGMA foreign_key_check").fetchall(), [])
                yield connection

    def stop_clean(self, tapedeck: Tapedeck) -> str:
        """Stops it and returns what it said; any exit code but 0 is a failure."""
        code = tapedeck.stop()
        self.assertEqual(code, 0, tapedeck.stderr())
        return tapedeck.stderr()

    def client(self, name: str, tapedeck: Tapedeck, way: str):
        client = CLIENTS[name](Route(tapedeck, way), self.folder)
        self.addCleanup(client.close)
        return client

    def run_session(self, tapedeck: Tapedeck, client_name: str, way: str, ways=(), keys=FIRST_KEYS, seed="one") -> dict:
        """All exchanges of one client by one way in; exchange name to what the client saw."""
        client = self.client(client_name, tapedeck, way)
        knowledge = Knowledge(keys, seed)
        return {e.name: perform(client, e, knowledge) for e in exchanges_for(client_name, *(ways or (way,)))}
