"""A miss tells what was asked, why nothing answers, what is nearest, and what would make it match."""

import json
import sqlite3
import subprocess
from contextlib import closing

from support.case import TapedeckCase

MEMBERS = {"type", "title", "status", "detail", "reason", "request", "nearest", "suggestion"}
HOST = "api.roaring.io"
JSON = ("Content-Type", "application/json")
OVERVIEW = "/se/company/overview/2.0/"
QUERY = "/company/1.0/company-overview?countryCode=SE&companyId="


class MissTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.cassette = self.folder / "miss.cassette"
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, self.cassette)
        client = self.client("curl", recorder, "connect")
        for method, path, body in (
            ("GET", QUERY + "5500000012", b""),
            ("GET", "/__stand_in/counter/twice", b""),
            ("GET", "/__stand_in/counter/twice", b""),
            ("POST", OVERVIEW, b'{"companyIds":["5500000012","5500000020"]}'),
            ("GET", "/__stand_in/unique/only-get", b""),
        ):
            self.assertGreater(client.send(method, HOST, path, [JSON], body).status, 0)
        self.stop_clean(recorder)
        stand_in.stop()

    def replay(self, *options):
        return self.tapedeck("replay", self.cassette, *options)

    def ask(self, replayer, method: str, path: str, body: bytes = b"", way: str = "connect", host: str = HOST):
        return self.client("curl", replayer, way).send(method, host, path, [JSON], body)

    def miss(self, answer, reason: str, status: int = 501) -> dict:
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.header("Content-Type"), "application/problem+json")
        self.assertEqual(answer.header("Tapedeck-Miss"), reason)
        report = json.loads(answer.body)
        self.assertLessEqual(MEMBERS, report.keys())
        self.assertEqual((report["status"], report["reason"]), (status, reason))
        self.assertLessEqual(len(report["nearest"]), 3)
        return report

    def test_a_recording_that_cannot_be_read_is_one_miss_and_skips_no_other(self):
        with closing(sqlite3.connect(self.cassette, isolation_level=None)) as cassette:
            cassette.execute(
                "UPDATE bodies SET size = size + 1 WHERE id = (SELECT response_body FROM exchanges"
                " WHERE target = '/__stand_in/counter/twice' ORDER BY id LIMIT 1)"
            )
        replayer = self.replay()
        report = self.miss(self.ask(replayer, "GET", "/__stand_in/counter/twice"), "differs")
        self.assertIn("cannot be read", report["detail"])
        second = self.ask(replayer, "GET", "/__stand_in/counter/twice")
        self.assertEqual((second.status, json.loads(second.body)["count"]), (200, 2))
        replayer.stop()
        self.assertEqual(replayer.stderr().count("warning: miss"), 1)

    def test_reasons(self):
        replayer = self.replay("--host", "never-recorded.example")
        for name, reason, method, host, path in (
            ("a host that is intercepted but was never recorded", "no-host", "GET", "never-recorded.example", "/"),
            ("a host, and the method and path are unknown too", "no-host", "DELETE", "backend.roaring.io", "/x"),
            ("a path", "no-path", "GET", HOST, "/never/recorded"),
            ("a path, and the method is unknown too", "no-path", "DELETE", HOST, "/never/recorded"),
            ("a method", "no-method", "DELETE", HOST, "/__stand_in/unique/only-get"),
            ("a method, and the query differs too", "no-method", "PATCH", HOST, QUERY + "5500000999"),
            ("a query", "differs", "GET", HOST, QUERY + "5500000999"),
        ):
            with self.subTest(name):
                self.miss(self.ask(replayer, method, path, host=host), reason)
        self.stop_clean(replayer)

    def test_a_difference_in_the_query_is_named(self):
        replayer = self.replay()
        report = self.miss(self.ask(replayer, "GET", QUERY + "5500000999"), "differs")
        text = json.dumps(report["nearest"][0])
        for part in ("companyId", "5500000012", "5500000999"):
            self.assertIn(part, text)
        self.assertIn(QUERY, json.dumps(report["request"]))
        self.assertTrue(report["suggestion"])
        said = self.stop_clean(replayer)
        self.assertIn("companyId", said)

    def test_a_difference_in_a_json_body_is_named(self):
        replayer = self.replay()
        answer = self.ask(replayer, "POST", OVERVIEW, b'{"companyIds":["5500000012","5500000777"]}')
        report = self.miss(answer, "differs")
        text = json.dumps(report["nearest"][0])
        for part in ("companyIds", "5500000020", "5500000777"):
            self.assertIn(part, text)

    def test_exhausted_only_when_a_sequence_may_end(self):
        replayer = self.replay("--sequence", "error")
        counts = [json.loads(self.ask(replayer, "GET", "/__stand_in/counter/twice").body)["count"] for _ in range(2)]
        self.assertEqual(counts, [1, 2])
        self.miss(self.ask(replayer, "GET", "/__stand_in/counter/twice"), "exhausted")

    def test_a_sequence_goes_on_as_chosen(self):
        for policy, expected in (
            ("sticky", [1, 2, 2, 2]), ("cycle", [1, 2, 1, 2]), ("first", [1, 1, 1, 1]), ("last", [2, 2, 2, 2]),
        ):  # fmt: skip
            with self.subTest(policy):
                replayer = self.replay("--sequence", policy)
                answers = [self.ask(replayer, "GET", "/__stand_in/counter/twice") for _ in expected]
                self.assertEqual([json.loads(answer.body)["count"] for answer in answers], expected)
                self.stop_clean(replayer)

    def test_an_empty_cassette_says_so(self):
        empty = self.folder / "empty.cassette"
        recorder = self.tapedeck("record", empty)
        self.stop_clean(recorder)
        replayer = self.tapedeck("replay", empty)
        self.miss(self.ask(replayer, "GET", "/anything"), "empty-cassette")

    def test_another_status_when_asked_for(self):
        replayer = self.replay("--miss-status", "404")
        self.miss(self.ask(replayer, "GET", "/never/recorded"), "no-path", status=404)

    def test_the_reverse_proxy_misses_in_the_same_words(self):
        replayer = self.replay("--upstream", "https://api.roaring.io")
        self.miss(self.ask(replayer, "GET", "/never/recorded", way="origin"), "no-path")

    def test_a_refused_tunnel_carries_the_reason_in_its_status_line(self):
        replayer = self.replay()
        done = subprocess.run(
            ["curl", "-qsv", "--max-time", "20", "--proxy", replayer.proxy_url, "https://not-intercepted.example/"],
            capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        self.assertEqual(done.returncode, 56, done.stderr)
        status_line = next(line for line in done.stderr.splitlines() if line.startswith("< HTTP/1.1 "))
        self.assertIn("501", status_line)
        self.assertIn("not-intercepted", status_line)

    def test_a_plain_request_to_a_host_that_is_not_intercepted(self):
        replayer = self.replay()
        done = subprocess.run(
            ["curl", "-qsi", "--max-time", "20", "--proxy", replayer.proxy_url, "http://not-intercepted.example/x"],
            capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        self.assertIn("Tapedeck-Miss: not-intercepted", done.stdout)

    def test_a_miss_leaves_the_connection_in_order(self):
        replayer = self.replay()
        client = self.client("requests", replayer, "connect")
        for _ in range(2):
            self.miss(client.send("POST", HOST, "/never/recorded", [JSON], b'{"a":1}'), "no-path")
            self.assertEqual(client.send("GET", HOST, "/__stand_in/unique/only-get", []).status, 200)

    def test_a_hit_carries_no_field_of_ours_unless_asked(self):
        for options, expected in (((), set()), (("--mark",), {"tapedeck-exchange", "tapedeck-recorded-at"})):
            with self.subTest(options):
                replayer = self.replay(*options)
                answer = self.ask(replayer, "GET", "/__stand_in/unique/only-get")
                self.assertEqual({n.lower() for n, _ in answer.headers if n.lower().startswith("tapedeck")}, expected)
                self.stop_clean(replayer)

    def test_the_summary_counts_hits_and_misses(self):
        replayer = self.replay()
        self.ask(replayer, "GET", "/__stand_in/unique/only-get")
        self.ask(replayer, "GET", "/never/recorded")
        self.ask(replayer, "GET", "/never/recorded")
        said = self.stop_clean(replayer)
        self.assertRegex(said, r"\b1 hit")
        self.assertRegex(said, r"\b2 misses")
        self.assertIn("/never/recorded", said)


class SessionTest(TapedeckCase):
    def test_each_session_has_a_cursor_of_its_own(self):
        cassette = self.folder / "sessions.cassette"
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, cassette)
        client = self.client("curl", recorder, "connect")
        for _ in range(2):
            client.send("GET", HOST, "/__stand_in/counter/s", [])
        self.stop_clean(recorder)
        replayer = self.tapedeck("replay", cassette)
        client = self.client("curl", replayer, "connect")
        seen = []
        for session in ("alice", "bob", "alice", "bob"):
            answer = client.send("GET", HOST, "/__stand_in/counter/s", [("Tapedeck-Session", session)])
            seen.append(json.loads(answer.body)["count"])
        self.assertEqual(seen, [1, 1, 2, 2])


class HealthTest(TapedeckCase):
    def test_health_is_ours_and_never_forwarded(self):
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, self.folder / "health.cassette")
        answer = self.client("curl", recorder, "origin").send("GET", HOST, "/__tapedeck/health", [])
        self.assertEqual(answer.status, 200)
        self.stop_clean(recorder)
        self.assertEqual(stand_in.transcripts(), [])
