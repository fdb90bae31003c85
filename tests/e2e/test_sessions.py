"""Streams of clients that are told apart: by port, by field, by proxy user. Each has its own recordings and cursors."""

import json
import subprocess

from support.case import TapedeckCase
from support.processes import run_tapedeck
from support.raw_server import RawClient, basic

HOST = "api.roaring.io"
COUNTER = "/__stand_in/counter/turn"


class SessionsTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.cassette = self.folder / "sessions.cassette"
        self.stand = self.stand_in()

    def start(self, mode: str, *options):
        return self.recorder(self.stand, self.cassette, "--upstream", f"https://{HOST}", *options, mode=mode)

    def count(self, client: RawClient, *fields: str, url: str = "", host: str = "127.0.0.1") -> int:
        answer = client.ask(f"GET {url}{COUNTER} HTTP/1.1", f"Host: {host}", *fields)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)["count"]

    def by_field(self, tapedeck, name: str) -> int:
        with RawClient(tapedeck.port) as client:
            return self.count(client, *([f"Tapedeck-Session: {name}"] if name else []))

    def by_user(self, tapedeck, name: str) -> int:
        with RawClient(tapedeck.port) as client:
            return self.count(client, f"Proxy-Authorization: {basic(name, 'x')}", url=f"https://{HOST}", host=HOST)

    def by_tunnel(self, tapedeck, name: str, *fields: str) -> int:
        with RawClient(tapedeck.port) as client:
            given = [f"Proxy-Authorization: {basic(name, 'x')}"] if name else []
            self.assertEqual(client.ask(f"CONNECT {HOST}:443 HTTP/1.1", f"Host: {HOST}:443", *given).status, 200)
            client.start_tls(tapedeck.ca_file, HOST)
            return self.count(client, *fields, host=HOST)

    def by_port(self, tapedeck, name: str, *fields: str) -> int:
        with RawClient(int(tapedeck.ready["sessions"][name].rpartition(":")[2])) as client:
            return self.count(client, *fields)

    def recorded_sessions(self) -> list:
        done = run_tapedeck(self.folder, "list", "--cassette", self.cassette, "--json")
        return [json.loads(line)["session"] for line in done.stdout.splitlines()]

    def test_two_sessions_are_replayed_each_by_its_own_cursor(self):
        ways = {"field": self.by_field, "user": self.by_user, "tunnel": self.by_tunnel}
        recorder = self.start("record")
        turns = [("alice", way) for way in ways] + [("bob", way) for way in ways] + [("", "field")]
        for number, (name, way) in enumerate(turns, 1):
            self.assertEqual(ways[way](recorder, name), number)
        self.stop_clean(recorder)
        self.assertEqual(self.recorded_sessions(), ["alice"] * 3 + ["bob"] * 3 + ["default"])
        self.stand.stop()
        replayer = self.start("replay")
        # Turn by turn, and each by another way than while recording: the session is the same.
        for expected, way in enumerate(("tunnel", "field", "user"), 1):
            self.assertEqual(ways[way](replayer, "alice"), expected)
            self.assertEqual(ways[way](replayer, "bob"), expected + 3)
            self.assertEqual(self.by_field(replayer, ""), 7)

    def test_a_port_of_its_own_is_surest_then_the_field_then_the_user(self):
        recorder = self.start("record", "--listen", "127.0.0.1:0=alice", "--listen", "127.0.0.1:0=bob")
        self.assertEqual(recorder.ready["sessions"].keys(), {"alice", "bob"})
        self.assertNotIn(recorder.proxy_url, recorder.ready["sessions"].values())
        carol, dave = "Tapedeck-Session: carol", f"Proxy-Authorization: {basic('dave', 'x')}"
        self.by_port(recorder, "alice")
        self.by_port(recorder, "bob", carol, dave)
        self.by_tunnel(recorder, "erin", carol, dave)
        self.by_tunnel(recorder, "erin", dave)
        self.by_tunnel(recorder, "erin")
        self.stop_clean(recorder)
        self.assertEqual(self.recorded_sessions(), ["alice", "bob", "carol", "dave", "erin"])
        forwarded = b"".join(request for request, _ in self.stand.transcripts()).lower()
        for word in (b"tapedeck-session", b"proxy-authorization", b"dave", basic("dave", "x").encode().lower()):
            self.assertNotIn(word, forwarded)
        kept = self.cassette.read_bytes().lower()
        for word in (b"tapedeck-session", b"proxy-authorization", basic("dave", "x").split()[1].encode().lower()):
            self.assertNotIn(word, kept)

    def test_a_whole_tunnel_is_of_the_session_that_its_connect_named(self):
        recorder = self.start("record")
        url = f"https://{HOST}{COUNTER}"
        command = ["curl", "-qsS", "--max-time", "20", "--cacert", recorder.ca_file, "--proxy-user", "alice:x"]
        command += ["--proxy", recorder.proxy_url, *["--output", "/dev/null"] * 3, url, url, url]
        subprocess.run(command, check=True, env={"PATH": "/usr/bin:/bin"})
        self.stop_clean(recorder)
        self.assertEqual(self.recorded_sessions(), ["alice"] * 3)

    def test_a_name_that_is_none_is_refused_and_not_repeated(self):
        recorder = self.start("record")
        for field in ("Tapedeck-Session: a b", f"Tapedeck-Session: {'a' * 65}", "Tapedeck-Session:",
                      f"Proxy-Authorization: {basic('s3cret/user', 'x')}"):  # fmt: skip
            for line in ("GET / HTTP/1.1", f"GET https://{HOST}/ HTTP/1.1", f"CONNECT {HOST}:443 HTTP/1.1"):
                with self.subTest(field, line=line), RawClient(recorder.port) as client:
                    answer = client.ask(line, "Host: 127.0.0.1", field)
                    self.assertEqual(answer.status, 400)
                    self.assertEqual(answer.header("Content-Type"), "application/problem+json")
                    self.assertIn(b"session", answer.body)
                    self.assertNotIn(b"s3cret", answer.body)
        self.assertNotIn("s3cret", self.stop_clean(recorder))
        self.assertEqual(self.stand.transcripts(), [])

    def test_no_credentials_are_ever_asked_for(self):
        recorder = self.start("record")
        for given in ([], ["Proxy-Authorization: Bearer abc"], ["Proxy-Authorization: Basic !"]):
            with RawClient(recorder.port) as client:
                self.count(client, *given)
        self.stop_clean(recorder)
        self.assertEqual(self.recorded_sessions(), ["default"] * 3)

    def test_a_wrapped_command_is_of_the_session_it_is_told(self):
        client = f"""
import os, urllib.request
urllib.request.urlopen(os.environ["TAPEDECK_BASE_URL"] + "{COUNTER}").read()
"""
        options = ["--cassette", self.cassette, *self.stand.upstream_options(), "--upstream", f"https://{HOST}"]
        options += ["--session", "nightly", "--", "/usr/bin/python3", "-c", client]
        done = run_tapedeck(self.folder, "record", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.recorded_sessions(), ["nightly"])
