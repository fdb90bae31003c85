"""Each row of the two tables of hostile messages, over sockets, through the real program."""

import json
import sqlite3

from support.case import TapedeckCase
from support.hostile import HOST, ReadingUpstream, SayingUpstream, converse, read_responses, table, without_own_via

ROWS_MIN = 120


def is_refusal(line: str) -> bool:
    return line.split(" ")[-2].isdigit() and not line.endswith("'") if " " in line else False


class HostileRequestsTest(TapedeckCase):
    """What was refused reaches the upstream in no meaning; what was taken means the same to h11, which is there."""

    def setUp(self):
        super().setUp()
        self.upstream = ReadingUpstream()
        self.addCleanup(self.upstream.close)
        self.recorder = self.tapedeck("record", self.folder / "hostile.cassette", *self.upstream.options())

    def test_each_row(self):
        rows = table("requests")
        self.assertGreaterEqual(len(rows), ROWS_MIN)
        seen = 0
        for row in rows:
            refused = is_refusal(row.read[-1])
            taken = [line for line in row.read if line.endswith(("'", "|"))]
            with self.subTest(row.name):
                answer = converse(self.recorder.port, row.message, half_close=not refused)
                new, seen = self.upstream.requests[seen:], len(self.upstream.requests)
                self.assertEqual([request.line() for request in new], taken)
                self.assertEqual(self.upstream.complaints, [])
                self.check_heads(row, new)
                self.check_answer(row, answer, [request.method for request in new], refused)
        self.assertTrue(self.recorder.alive())
        self.stop_clean(self.recorder)

    def check_heads(self, row, requests: list):
        for request in requests:
            self.assertEqual([value.lower().removesuffix(":80") for value in request.values("Host")], [HOST])
            self.assertLessEqual(len(request.values("Content-Length") + request.values("Transfer-Encoding")), 1)
        if "forwarded" in row.more:
            fields = [f"{name}: {value}" for name, value in requests[0].headers if name.lower() != "host"]
            self.assertEqual(without_own_via(fields), row.more["forwarded"])

    def check_answer(self, row, answer: bytes, methods: list, refused: bool):
        finals = [response for response in read_responses(answer, methods) if response.status >= 200]
        statuses = [response.status for response in finals]
        self.assertTrue(all(response.whole for response in finals))
        if not refused:
            self.assertEqual(statuses, [200] * len(methods))
            return
        status, code = row.read[-1].split(" ")[-2:]
        self.assertEqual(statuses, [200] * len(methods) + [int(status)])
        self.assertEqual(finals[-1].values("Connection"), ["close"])
        self.assertTrue(json.loads(finals[-1].body)["type"].endswith(code), finals[-1].body)


class HostileResponsesTest(TapedeckCase):
    """The client gets what the row says or learns that it failed, and gets the same when it is replayed."""

    def setUp(self):
        super().setUp()
        self.rows = {f"/r/{n}": row for n, row in enumerate(table("responses"))}
        self.upstream = SayingUpstream({target: self.said(row) for target, row in self.rows.items()})
        self.addCleanup(self.upstream.close)
        self.cassette = self.folder / "hostile.cassette"

    @staticmethod
    def said(row) -> tuple:
        return row.message, row.read[-1].endswith("cut") or "until close" in row.name

    def ask(self, tapedeck, target: str) -> list:
        method = self.rows[target].more.get("method", "GET")
        # Conditional, since a 304 is replayed to such a request alone.
        fields = f'Host: {HOST}\r\nIf-None-Match: "a"\r\nConnection: close\r\n'
        request = f"{method} {target} HTTP/1.1\r\n{fields}\r\n".encode()
        return read_responses(converse(tapedeck.port, request, half_close=False), [method])

    def check_client(self, row, responses: list):
        *interim, final = responses
        wanted = [] if "client" in row.more else [line for line in row.read[:-1] if line != "100"]
        self.assertEqual([str(response.status) for response in interim if "client" not in row.more], wanted)
        line = row.more.get("client", row.read[-1])
        if line.partition(" +")[0].endswith(("'", "|")):
            self.assertEqual(final.line(), line.partition(" +")[0])
        elif "'" in line:  # The head was fine, the body was not.
            self.assertTrue(final.status == 502 or not final.whole, final.line())
            self.assertTrue(line.startswith(final.line()[:3]) or final.status == 502)
        else:
            self.assertEqual((final.status, final.whole), (502, True))

    def test_each_row(self):
        self.assertGreaterEqual(len(self.rows), ROWS_MIN)
        recorder = self.tapedeck("record", self.cassette, *self.upstream.options())
        seen = {}
        for target, row in self.rows.items():
            with self.subTest(row.name):
                responses = self.ask(recorder, target)
                self.check_client(row, responses)
                seen[target] = [response.line() for response in responses]
        self.stop_clean(recorder)
        self.check_reuse()
        self.check_kept()
        replayer = self.tapedeck("replay", self.cassette, "--profile", "none", "--upstream", f"http://{HOST}")
        for target, row in self.rows.items():
            with self.subTest(row.name, mode="replay"):
                replayed = [response.line() for response in self.ask(replayer, target)]
                # Of an exchange that failed before its answer began, the interim answers are not kept.
                kept = seen[target][-1:] if seen[target][-1].startswith("502") else seen[target]
                self.assertEqual(replayed, kept)
        self.stop_clean(replayer)

    def check_reuse(self):
        """Only a response that ended as it should leaves a connection that is used again."""
        self.assertLess(len(self.upstream.asked), len(self.rows), "no connection was used again")
        for targets in self.upstream.asked:
            for target in targets[:-1]:
                row = self.rows[target]
                with self.subTest(row.name, then=targets[-1]):
                    self.assertTrue(row.read[-1].endswith(("'", "|")))
                    self.assertNotIn("client", row.more)

    def check_kept(self):
        with sqlite3.connect(f"file:{self.cassette}?mode=ro", uri=True) as connection:
            kept = connection.execute("SELECT target, state, status, failure_kind FROM exchanges").fetchall()
        self.assertEqual(len(kept), len(self.rows))
        for target, state, status, failure in kept:
            row = self.rows[target]
            with self.subTest(row.name, kept=(state, status, failure)):
                line = row.more.get("client", row.read[-1]).partition(" +")[0]
                if line.endswith(("'", "|")):
                    self.assertEqual((state, str(status), failure), ("whole", line[:3], None))
                    continue
                self.assertEqual(state, "cut")
                kinds = ("closed", "reset") if line.endswith("cut") else ("protocol",)
                self.assertIn(failure, kinds)
                self.assertEqual(status is not None, "'" in line)
