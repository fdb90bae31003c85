"""The stand-in itself, asked directly: what the other tests lean on has to be so."""

import json
import subprocess
import types

from support.case import TapedeckCase
from support.clients import CLIENTS
from support.processes import FIRST_KEYS, SECOND_KEYS, wait_until
from support.raw_http import request_field
from support.served import comparable, expected_message, first_difference
from support.sessions import EXCHANGES, Knowledge, exchanges_for, perform

# Every exchange whose status is not 200.
STATUSES = {
    "token refused": 401,
    "legacy, an argument missing (400)": 400,
    "legacy, unknown company (404 with JSON)": 404,
    "legacy, no token (401)": 401,
    "overview unchanged (304)": 304,
    "overview, options": 204,
    "overview batch, slash missing (301)": 301,
    "search, slash missing (301)": 301,
    "search, slash too many (302, relative)": 302,
    "rating not in the plan (403)": 403,
    "unknown company (404, empty)": 404,
    "throttled (429)": 429,
    "broken (500)": 500,
    "bad company number (400 with attributes)": 400,
    "no token (401)": 401,
    "part of a report": 206,
    "task started by a file": 202,
    "no content": 204,
    "several statuses (207)": 207,
    "a refused expectation's status (417)": 417,
    "put": 201,
    "patch": 201,
    "delete with a body": 204,
    "binary request": 201,
    "secrets in a redirect": 302,
}


class StandInTest(TapedeckCase):
    def direct(self, name: str, stand_in):
        base_url = f"http://127.0.0.1:{stand_in.http_port}"
        route = types.SimpleNamespace(proxy_url=None, ca_file="", url=lambda host, path: base_url + path)
        client = CLIENTS[name](route, self.folder)
        self.addCleanup(client.close)
        return client

    def test_every_exchange_is_answered_as_the_table_says(self):
        self.assertTrue(STATUSES.keys() <= {exchange.name for exchange in EXCHANGES})
        for client_name in CLIENTS:
            stand_in = self.stand_in()
            client, knowledge = self.direct(client_name, stand_in), Knowledge(FIRST_KEYS, client_name)
            for exchange in exchanges_for(client_name):
                with self.subTest(client=client_name, exchange=exchange.name):
                    answer = perform(client, exchange, knowledge)
                    self.assertIsNone(answer.error)
                    self.assertEqual(answer.status, STATUSES.get(exchange.name, 200))
            self.assertNotIn("unlearned", knowledge.told)

    def test_transcripts_hold_what_the_client_saw(self):
        stand_in = self.stand_in()
        client, knowledge = self.direct("curl", stand_in), Knowledge(FIRST_KEYS, "raw")
        seen = {exchange.name: perform(client, exchange, knowledge) for exchange in exchanges_for("curl")}
        wait_until(lambda: len(stand_in.transcripts()) == len(seen), "all transcripts")
        methods = {exchange.name: exchange.method for exchange in EXCHANGES}
        for request, response in stand_in.transcripts():
            name = request_field(request, "X-Exchange")
            with self.subTest(exchange=name):
                expected = expected_message(response, methods[name], "connect", "")
                answer = seen[name]
                # Asked directly, the hop's own fields and an old version are still there.
                answer.status_line = answer.status_line.replace("HTTP/1.0", "HTTP/1.1")
                answer.headers = [(n, v) for n, v in answer.headers if n.lower() != "alt-svc"]
                expected_text, seen_text = comparable(expected, expected, True), comparable(answer, expected, True)
                if expected_text != seen_text:
                    self.fail(first_difference(expected_text, seen_text))

    def test_tokens_end_and_are_refused_afterwards(self):
        stand_in = self.stand_in(token_ttl_s=0.2)
        client, knowledge = self.direct("requests", stand_in), Knowledge(SECOND_KEYS, "ttl")
        by_name = {exchange.name: exchange for exchange in EXCHANGES}
        perform(client, by_name["token by form"], knowledge)
        self.assertEqual(perform(client, by_name["overview"], knowledge).status, 200)
        ask = lambda: perform(client, by_name["overview"], knowledge)  # noqa: E731
        wait_until(lambda: ask().status == 401, "the token's end")
        self.assertEqual(json.loads(ask().body)["error"], "Unauthorized")

    def test_same_token_until_it_expires_when_asked_to(self):
        tokens = {}
        for options in ((), ("--same-token",)):
            stand_in = self.stand_in(*options)
            client, knowledge = self.direct("requests", stand_in), Knowledge(FIRST_KEYS, "same")
            answers = [perform(client, EXCHANGES[0], knowledge) for _ in range(2)]
            tokens[options] = [json.loads(answer.body)["access_token"] for answer in answers]
        self.assertNotEqual(*tokens[()])
        self.assertEqual(*tokens["--same-token",])

    def test_broken_answers_break_as_named(self):
        stand_in = self.stand_in()
        expected_codes = {
            "cut/length": 18, "cut/chunked": 18, "reset/head": 56, "reset/body": 56, "close": 52,
            "garbage/noise": 1, "garbage/bad-chunk": 56, "silent": 28,
        }  # fmt: skip
        for path, code in expected_codes.items():
            with self.subTest(path=path):
                url = f"https://localhost:{stand_in.https_port}/__stand_in/{path}"
                command = ["curl", "-qsS", "--http1.1", "--max-time", "0.6", "--cacert", str(stand_in.ca_file), url]
                done = subprocess.run(command, capture_output=True, env={"PATH": "/usr/bin:/bin"})
                self.assertEqual(done.returncode, code, done.stderr)

    def test_requests_are_counted_by_path(self):
        stand_in = self.stand_in()
        client = self.direct("requests", stand_in)
        for _ in range(3):
            client.send("GET", "api.roaring.io", "/__stand_in/counter/x", [])
        counts = client.send("GET", "api.roaring.io", "/__stand_in/counts", [])
        self.assertEqual(json.loads(counts.body), {"GET /__stand_in/counter/x": 3})
        self.assertEqual(stand_in.stop(), 0)
        self.assertEqual(json.loads((stand_in.log_dir / "counts.json").read_text()), {"GET /__stand_in/counter/x": 3})
