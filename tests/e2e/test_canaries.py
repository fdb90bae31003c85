"""Secrets in every place and encoding, from an upstream that echoes everything: none is written or said.

TAPEDECK_SEED repeats the canaries of a run.
"""

import json
import os
import random
import re
import shutil
import urllib.request

from support.canaries import PLACES, TAIL, Row, canaries_in, canary, exchange, request_of
from support.case import TapedeckCase
from support.origin import FORMS
from support.processes import run_tapedeck
from support.secret_forms import CODINGS, cassette_pieces

SEED = int(os.environ.get("TAPEDECK_SEED", random.SystemRandom().randrange(1 << 32)))
LARGE_BYTES = 12 * 1024 * 1024
LINES_SHOWN = 100
ISSUED = ("json", "cookie", "header", "trailer", "redirect-query", "redirect-fragment", "userinfo")


def rows() -> list:
    """What is asked, in order. Each row gets a canary of its own."""
    table = [Row(f"everything, {place}", place, "request") for place in PLACES]
    table += [Row("everything, request trailer", "api-key", "request", trailer=True)]
    for place in PLACES:
        source = place.removesuffix("-jwt")
        table += [Row(f"{place}, {form}", place, f"secret/{source}/{form}/body") for form in FORMS]
    for into in ("header", "link", "set-cookie", "reason", "trailer", "interim"):
        for form in ("percent", "base64-1", "hex"):
            table.append(Row(f"{form} in {into}", "bearer", f"secret/bearer/{form}/{into}"))
    table += [Row(f"raw in {into}", "bearer", f"secret/bearer/raw/{into}") for into in ("header", "reason", "trailer")]
    table += [Row("in a redirect", "query", "secret/query/percent/location")]
    for coding in CODINGS:
        for form in ("raw", "json-twice", "base64-2"):
            table.append(Row(f"{form} in {coding}", "json", f"secret/json/{form}/body/{coding}"))
        table.append(Row(f"{coding} cut into chunks", "bearer", f"secret/bearer/raw/body/{coding}/7"))
    table += [Row(f"chunks of {step}", "form", f"secret/form/json/body/identity/{step}") for step in (1, 3, 16)]
    for how in ("status-line", "field", "chunk", "length"):
        table.append(Row(f"broken {how}", "bearer", f"broken/bearer/{how}", fails=True))
        table.append(Row(f"broken {how} by query", "query", f"broken/query/{how}", fails=True))
    for how in ISSUED:
        table.append(Row(f"issued, {how}", "planted", f"issue/{how}/{how}"))
        table.append(Row(f"said again, {how}", "planted", f"again/{how}"))
    for coding in ("identity", "gzip"):
        table.append(Row(f"12 MiB, {coding}", "bearer", f"large/bearer/{LARGE_BYTES}/{coding}"))
    table += [Row("12 MiB upload", "json", "secret/json/raw/body", upload_bytes=LARGE_BYTES)]
    return table


ROWS = rows()


class CanariesTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        print(f"TAPEDECK_SEED={SEED}")
        self.stand_in_ = self.stand_in()
        self.cassette = self.folder / "canaries.cassette"

    def test_no_canary_is_left_anywhere(self):
        first, second = self.canaries(1), self.canaries(2)
        self.assertGreaterEqual(len(set(first + second)), 2 * 60)
        report = self.folder / "recorded.json"
        recorder = self.recorder_("-v", "--report", report)
        recorded = self.send_all(recorder, first)
        self.assert_echoed(recorded)
        pieces = self.live_pieces() + self.said_by_admin(recorder)
        pieces += [("what the recorder said", self.stop_clean(recorder).encode()), ("report", report.read_bytes())]
        pieces += [("ready file of the recorder", json.dumps(recorder.ready).encode())]
        pieces += cassette_pieces(self.cassette)
        self.assertGreater(len(pieces), len(ROWS), "the cassette should have been read")

        report = self.folder / "replayed.json"
        replayer = self.tapedeck("replay", self.cassette, "-v", "--report", report)
        replayed = self.send_all(replayer, second)
        pieces += self.said_by_admin(replayer)
        said = self.stop_clean(replayer)
        pieces += [("what the replayer said", said.encode()), ("replay's report", report.read_bytes())]
        pieces += [("ready file of the replayer", json.dumps(replayer.ready).encode())]
        # A request that hits gives its own recording back, so no canary of either set is in an answer.
        pieces += [(f"answer to {row.name}", _bytes_of(answer)) for row, answer in zip(ROWS, replayed)]

        with self.subTest("other secrets hit every time"):
            missed = [row.name for row, answer in zip(ROWS, replayed) if answer.header("Tapedeck-Miss")]
            self.assertEqual(missed, [])
            self.assertRegex(said, r"\b0 misses\b")
            statuses = {row.name: answer.status for row, answer in zip(ROWS, replayed)}
            self.assertEqual(statuses, {row.name: answer.status for row, answer in zip(ROWS, recorded)})
        with self.subTest("no canary is left"):
            names = {f"row {n}": row.name for n, row in enumerate(ROWS)}
            self.assert_none_left(pieces, first, names)

    def test_a_miss_does_not_tell_what_was_asked_with(self):
        secrets = self.canaries(4)
        asked = [(n, row) for n, row in enumerate(ROWS) if row.path == "request"]
        recorder = self.recorder_()
        for n, row in asked:
            exchange(recorder.port, request_of(row, n, secrets[n]))
        self.stop_clean(recorder)
        report = self.folder / "missed.json"
        replayer = self.tapedeck("replay", self.cassette, "-v", "--report", report)
        # The same but for one parameter: the nearest recording is shown beside what was asked.
        answers = [exchange(replayer.port, request_of(row, n + 1000, secrets[n])) for n, row in asked]
        code = replayer.stop()
        self.assertEqual([answer.header("Tapedeck-Miss") for answer in answers], ["differs"] * len(asked))
        pieces = [("miss", _bytes_of(answer)) for answer in answers]
        pieces += [(f"what the replayer said ({code})", replayer.stderr().encode()), ("report", report.read_bytes())]
        self.assert_none_left(pieces, secrets, {f"row {n}": row.name for n, row in asked})

    def test_literal_secrets_are_found_where_no_rule_looks(self):
        value, named = self.canaries(3)[0:2]
        environment = {"CANARY_KEY": named}
        options = ("--secret", value, "--secret", "env:CANARY_KEY")
        asked = [Row(f"{form}", "harmless", f"secret/harmless/{form}/body") for form in FORMS]
        asked += [Row(f"raw in {coding}", "harmless", f"secret/harmless/raw/body/{coding}") for coding in CODINGS]
        requests = [request_of(row, n, (value, named)[n % 2]) for n, row in enumerate(asked)]
        recorder = self.recorder_("-v", *options, env=environment)
        for request in requests:
            self.assertEqual(exchange(recorder.port, request).status, 200)
        pieces = self.live_pieces() + [("what the recorder said", self.stop_clean(recorder).encode())]
        pieces += cassette_pieces(self.cassette)
        replayer = self.tapedeck("replay", self.cassette, "-v", *options, env=environment)
        answers = [exchange(replayer.port, request) for request in requests]
        said = self.stop_clean(replayer)
        self.assertEqual([answer.status for answer in answers], [200] * len(asked))
        self.assertRegex(said, r"\b0 misses\b")
        pieces += [("what the replayer said", said.encode())]
        pieces += [("answer", _bytes_of(answer)) for answer in answers]
        self.assert_none_left(pieces, [value, named], {"row 0": "by value", "row 1": "by name"})
        self.assertIn("{{tapedeck:secret-canary-key}}", "".join(answer.body.decode("latin-1") for answer in answers))

    def test_a_canary_that_no_rule_covers_is_found_by_this_search_and_by_scan(self):
        """The tests above must be able to fail, and what they would find a user can find as well."""
        secret = canary(7, "bearer-jwt", random.Random(SEED))
        asked = [Row(f"{form}", "harmless", f"secret/harmless/{form}/body") for form in FORMS]
        asked += [Row(f"raw in {coding}", "harmless", f"secret/harmless/raw/body/{coding}") for coding in CODINGS]
        recorder = self.recorder_()
        for n, row in enumerate(asked):
            self.assertEqual(exchange(recorder.port, request_of(row, n, secret)).status, 200)
        said = self.stop_clean(recorder)
        self.assertRegex(said, r"\d+ values look like secrets; look at them with: tapedeck scan -c ")
        self.assertEqual(canaries_in("summary", said.encode(), []), set())
        secrets = [""] * 7 + [secret]
        for name, form in FORMS.items():
            self.assertTrue(canaries_in("text", form(secret).encode(), secrets), name)
        found = set().union(*(canaries_in(where, data, secrets) for where, data in cassette_pieces(self.cassette)))
        self.assertIn("row 7: table bodies, raw head", found)
        for coding in CODINGS:
            self.assertIn(f"row 7: table bodies, {coding}, raw head", found)

        arguments = ("scan", "--cassette", self.cassette, "--secret", "env:PLANTED", "--format", "json")
        scanned = run_tapedeck(self.folder, *arguments, env={"PLANTED": secret})
        self.assertEqual(scanned.returncode, 5, scanned.stderr)
        self.assertNotIn(TAIL, scanned.stdout + scanned.stderr)
        findings = [json.loads(line) for line in scanned.stdout.splitlines()]
        exchanges = {finding["exchange"] for finding in findings if finding["kind"] == "secret"}
        self.assertEqual(len(exchanges), len(asked), "each exchange has it in its request at least")
        answers = {f["exchange"] for f in findings if f["place"].startswith("response body") and f["kind"] == "secret"}
        self.assertEqual(len(answers), len(asked), scanned.stdout)

    def canaries(self, number: int) -> list:
        source = random.Random(SEED + number)
        return [canary(n, row.place if row.place != "planted" else "bearer", source) for n, row in enumerate(ROWS)]

    def recorder_(self, *options, **more):
        upstream = ("--connect-to", f"api.roaring.io:80:127.0.0.1:{self.stand_in_.http_port}")
        return self.tapedeck("record", self.cassette, *upstream, *options, **more)

    def send_all(self, tapedeck, secrets: list) -> list:
        answers = []
        for number, (row, secret) in enumerate(zip(ROWS, secrets)):
            if row.path.startswith("issue/"):
                planted = secret
                name = row.path.split("/")[1]
                head = f"POST /__stand_in/echo/plant/{name} HTTP/1.1\r\nConnection: close\r\n"
                exchange(self.stand_in_.http_port, f"{head}Content-Length: {len(planted)}\r\n\r\n{planted}".encode())
            request = request_of(row, number, secret)
            if row.place == "planted":  # the request must not know it
                request = f"GET http://api.roaring.io/__stand_in/echo/{row.path} HTTP/1.1\r\n".encode()
                request += b"Host: api.roaring.io\r\nConnection: close\r\n\r\n"
            answers.append(exchange(tapedeck.port, request))
        return answers

    def assert_echoed(self, answers: list):
        """While recording the client sees the upstream's answer as it is, the secret included."""
        for row, answer in zip(ROWS, answers):
            with self.subTest(row.name):
                if row.fails:
                    self.assertTrue(answer.error or answer.status == 502, answer)
                    continue
                self.assertIn(answer.status, (200, 302))
                self.assertIsNone(answer.error)
                if not row.trailer:
                    self.assertTrue(canaries_in("answer", _bytes_of(answer), []), "the upstream should have echoed it")

    def live_pieces(self) -> list:
        """The files of a cassette that is being written, as a crash would leave them, and what can be read of them."""
        files = sorted(self.cassette.parent.glob(self.cassette.name + "*"))
        copies = self.folder / "live"
        copies.mkdir()
        for file in files:
            shutil.copy(file, copies)
        self.assertIn(self.cassette.name + "-wal", [file.name for file in files])
        pieces = [(f"live {file.name}", file.read_bytes()) for file in files]
        return pieces + [(f"live {where}", data) for where, data in cassette_pieces(copies / self.cassette.name)]

    def said_by_admin(self, tapedeck) -> list:
        answers = []
        for path in ("/status", "/nothing"):
            headers = {"Authorization": "Bearer " + tapedeck.ready["admin_token"]}
            request = urllib.request.Request(tapedeck.ready["admin_url"] + path, headers=headers)
            try:
                with urllib.request.urlopen(request) as answer:
                    answers.append((f"admin {path}", answer.read()))
            except urllib.error.HTTPError as error:
                answers.append((f"admin {path}", error.read()))
        return answers

    def assert_none_left(self, pieces: list, secrets: list, names: dict):
        left = set().union(*(canaries_in(where, data, secrets) for where, data in pieces))
        lines = sorted(re.sub(r"^row \d+", lambda row: names.get(row[0], row[0]), line) for line in left)
        rows_left = {line.split(": ")[0] for line in lines}
        if lines:
            self.fail(f"{len(lines)} places, of {sorted(rows_left)}:\n" + "\n".join(lines[:LINES_SHOWN]))


def _bytes_of(answer) -> bytes:
    text = repr((answer.status_line, answer.headers, answer.trailers, answer.interim)).encode() + answer.body
    coding = answer.header("Content-Encoding")
    return text + CODINGS[coding](answer.body) if coding in CODINGS else text
