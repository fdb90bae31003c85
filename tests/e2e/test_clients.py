"""Real clients, each through every way in that it can use: recorded, and replayed equal with the upstream stopped.

They run as wrapped commands, so that it is the environment of those that is proven.
"""

import gzip
import http.client
import re
import shlex
import sqlite3
import sys
import zlib
from contextlib import closing

from support.case import TapedeckCase
from support.client_table import CLIENTS, FOLDER, PLAIN_HOST, WAYS, build
from support.processes import FIRST_KEYS, SECOND_KEYS, run_tapedeck, wait_until
from support.raw_http import parse_answer, request_field
from support.served import HOP_BY_HOP, changed_ranges, is_placeholder, secret_places
from support.sessions import EXCHANGES, EXPIRES_IN, Knowledge

sys.path.insert(0, str(FOLDER))

from exchange_list import Job, read_answers, write_lines  # noqa: E402

EXCHANGES_MIN = 30
TIMEOUT_S = 180

# Of every kind one or two; none needs what an earlier answer told, since a list is made beforehand.
CHOSEN = [
    exchange
    for exchange in EXCHANGES
    if exchange.name
    in {
        "token by Basic header",
        "token by form",
        "token in gzip",
        "token refused",
        "legacy overview",
        "legacy simple search",
        "legacy overview batch",
        "legacy events with business codes",
        "legacy, an argument missing (400)",
        "legacy, unknown company (404 with JSON)",
        "legacy, no token (401)",
        "overview",
        "overview unchanged (304)",
        "overview in gzip",
        "overview in deflate",
        "overview, head only",
        "overview, options",
        "overview batch",
        "overview batch, chunked request",
        "overview batch, slash missing (301)",
        "search, slash missing (301)",
        "search, slash too many (302, relative)",
        "economy overview with a large integer",
        "engagements, repeated key",
        "rating not in the plan (403)",
        "unknown company (404, empty)",
        "throttled (429)",
        "broken (500)",
        "report",
        "part of a report",
        "task started by a file",
        "bank login address",
        "body until close",
        "answer of HTTP/1.0",
        "two cookies",
        "a large head",
        "fields for our hop alone",
        "no reason phrase",
        "no content",
        "several statuses (207)",
        "small chunks with extensions",
        "trailers",
        "put",
        "patch",
        "delete with a body",
        "binary request",
        "the same question, first answer",
        "the same question, second answer",
        "secrets beside a business code",
        "secrets in gzip",
        "secrets in a redirect",
    }
]
BY_NAME = {exchange.name: exchange for exchange in CHOSEN}


def kinds_of(exchange) -> set:
    kinds = {exchange.name} | ({"chunked"} if exchange.chunked else set())
    kinds |= {"redirect"} if re.search(r"\(30[12]|redirect", exchange.name) else set()
    return kinds | ({"coding"} if exchange.accept_encoding != "identity" else set())


def jobs_for(client, knowledge: Knowledge) -> list:
    jobs = []
    for exchange in CHOSEN:
        if kinds_of(exchange) & client.cannot:
            continue
        headers = [("X-Exchange", exchange.name)]
        if exchange.accept_encoding != "identity":
            headers.append(("Accept-Encoding", exchange.accept_encoding))
        headers += [(name, knowledge.fill(value)) for name, value in exchange.headers]
        body = exchange.bytes_body or knowledge.fill(exchange.body).encode()
        jobs.append(
            Job(exchange.name, exchange.method, knowledge.fill(exchange.path), exchange.chunked, body, headers)
        )
    return jobs


def decoded(body: bytes, coding: str) -> bytes:
    """Some clients undo content codings, others leave that to their users."""
    if coding == "gzip" and body.startswith(b"\x1f\x8b"):
        return gzip.decompress(body)
    try:
        return zlib.decompress(body) if coding == "deflate" else body
    except zlib.error:
        return body


def view_of(answer, has_length: bool) -> bytes:
    """What the client saw, as one text. Headers are sorted: the order of those with the same name is kept. The port
    that we took is left out of what leads back to us."""
    dropped = HOP_BY_HOP if has_length else HOP_BY_HOP | {"content-length"}
    headers = [(name.lower(), value) for name, value in answer.headers if name.lower() not in dropped]
    coding = dict(headers).get("content-encoding", "")
    if BY_NAME[answer.name].secrets:
        headers = [(name, "*" if name == "content-length" else value) for name, value in headers]
    lines = [str(answer.status)] + [f"{name}: {value}" for name, value in sorted(headers, key=lambda field: field[0])]
    head = re.sub(r"(https?://127\.0\.0\.1):\d+", r"\1:*", "\r\n".join(lines))
    return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + decoded(answer.body, coding)


class ClientsTest(TapedeckCase):
    def test_curl(self):
        self.through_every_way("curl")

    def test_wget(self):
        self.through_every_way("wget")

    def test_requests(self):
        self.through_every_way("requests")

    def test_httpx(self):
        self.through_every_way("httpx")

    def test_aiohttp(self):
        self.through_every_way("aiohttp")

    def test_node_https(self):
        self.through_every_way("node https")

    def test_node_https_with_an_agent(self):
        self.through_every_way("node https with an agent")

    def test_undici(self):
        self.through_every_way("undici")

    def test_undici_with_its_agent(self):
        self.through_every_way("undici with its agent")

    def test_node_fetch(self):
        self.through_every_way("node fetch")

    def test_axios(self):
        self.through_every_way("axios")

    def test_java(self):
        self.through_every_way("java")

    def test_ruby(self):
        self.through_every_way("ruby")

    def test_php_curl(self):
        self.through_every_way("php curl")

    def test_php_streams(self):
        self.through_every_way("php streams")

    def test_php_streams_with_a_proxy(self):
        self.through_every_way("php streams with a proxy")

    def test_go(self):
        self.through_every_way("go")

    def test_chromium(self):
        self.through_every_way("chromium")

    def test_no_client_is_left_out(self):
        tested = {name.removeprefix("test_").replace("_", " ") for name in dir(self)}
        self.assertLessEqual(set(CLIENTS), tested)

    def through_every_way(self, name: str):
        client = CLIENTS[name]
        self.built = self.folder / "built"
        self.built.mkdir()
        build(name, self.built)
        made = run_tapedeck(self.folder, "ca", "create")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.spki_option = re.search(r"--ignore-certificate-errors-spki-list=\S+", made.stdout)[0]
        stand_in = self.stand_in()
        recorded = {way: self.record(client, way, stand_in) for way in client.ways}
        stand_in.stop()
        for way, (answers, raw) in recorded.items():
            with self.subTest(client=name, way=way, phase="recording"):
                self.assert_as_sent(answers, raw)
            with self.subTest(client=name, way=way, phase="replaying"):
                self.assert_equal_views(answers, self.replay(client, way), raw)

    def record(self, client, way: str, stand_in) -> tuple:
        knowledge = self.knowledge_from(stand_in)
        jobs = jobs_for(client, knowledge)
        self.assertGreaterEqual(len(jobs), EXCHANGES_MIN)
        before = len(stand_in.transcripts())
        options = stand_in.upstream_options()
        if WAYS[way].plain:
            options += ["--connect-to", f"{PLAIN_HOST}:80:127.0.0.1:{stand_in.http_port}"]
        done, answers = self.run_client("record", client, way, jobs, options)
        with self.subTest(way=way, phase="record"):
            self.assertEqual(done.returncode, 0, done.stderr)
            with closing(sqlite3.connect(self.cassette_of(way))) as cassette:
                ways_in = cassette.execute("SELECT way_in, count(*) FROM exchanges GROUP BY way_in").fetchall()
            self.assertEqual(ways_in, [(WAYS[way].way_in, len(jobs))], done.stderr)
        kept = wait_until(lambda: self.kept(stand_in, before, jobs), "all transcripts")
        return answers, kept

    def kept(self, stand_in, before: int, jobs: list) -> dict | None:
        transcripts = stand_in.transcripts()[before:]
        named = {request_field(request, "X-Exchange"): response for request, response in transcripts}
        return named if len(transcripts) >= len(jobs) else None

    def replay(self, client, way: str) -> dict:
        """The one who replays has keys and a token of his own."""
        knowledge = Knowledge(SECOND_KEYS, "replayed", {"token": "a-token-of-somebody-else", "etag": self.etag})
        jobs = jobs_for(client, knowledge)
        done, answers = self.run_client("replay", client, way, jobs, [])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, rf"\b{len(jobs)} hits")
        return answers

    def run_client(self, mode: str, client, way: str, jobs: list, options: list) -> tuple:
        jobs_file, answers_file = (self.folder / f"{mode}-{way}-{what}" for what in ("jobs", "answers"))
        write_lines(jobs_file, jobs)
        command = [str(word).format(built=self.built) for word in client.command] + [jobs_file, answers_file]
        script = f'{WAYS[way].shell}; {client.needs or ":"}; exec {shlex.join(map(str, command))}'
        options = ["--cassette", self.cassette_of(way), *options, *WAYS[way].options]
        environment = {"SPKI_OPTION": self.spki_option}
        wrapped = ("sh", "-c", script)
        done = run_tapedeck(self.folder, mode, *options, "--", *wrapped, env=environment, timeout_s=TIMEOUT_S)
        self.assertTrue(answers_file.exists(), done.stderr)
        answers = {answer.name: answer for answer in read_answers(answers_file)}
        self.assertEqual(set(answers), {job.name for job in jobs}, done.stderr)
        return done, answers

    def cassette_of(self, way: str):
        return self.folder / f"{way}.cassette"

    def knowledge_from(self, stand_in) -> Knowledge:
        """The token and entity tag that the list's requests carry."""
        knowledge = Knowledge(FIRST_KEYS, "recorded")
        learned = [BY_NAME["token by Basic header"], BY_NAME["overview"]]
        for exchange in learned:
            upstream = http.client.HTTPConnection("127.0.0.1", stand_in.http_port)
            headers = {name: knowledge.fill(value) for name, value in exchange.headers}
            upstream.request(exchange.method, exchange.path, knowledge.fill(exchange.body), headers)
            got = upstream.getresponse()
            raw = f"HTTP/1.1 {got.status} \r\n{got.headers}".replace("\r\n", "\n").replace("\n", "\r\n").encode()
            knowledge.learn(exchange, parse_answer(raw + got.read(), exchange.method))
            upstream.close()
        self.etag = knowledge.told["etag"]
        return knowledge

    def assert_as_sent(self, answers: dict, raw: dict):
        for name, answer in answers.items():
            with self.subTest(exchange=name):
                self.assertEqual(answer.error, "")
                sent = parse_answer(raw[name], BY_NAME[name].method)
                self.assertEqual(answer.status, sent.status)
                coding = sent.header("Content-Encoding")
                self.assertEqual(decoded(answer.body, coding), sent.decoded_body())

    def assert_equal_views(self, recorded: dict, replayed: dict, raw: dict):
        changed = 0
        for name, answer in replayed.items():
            with self.subTest(exchange=name):
                self.assertEqual(answer.error, "")
                has_length = parse_answer(raw[name], BY_NAME[name].method).header("Content-Length") != ""
                views = (view_of(one, has_length) for one in (recorded[name], answer))
                changed += self.assert_equal_but_for_secrets(*views, BY_NAME[name].secrets)
        self.assertGreater(changed, 0, "the list has secrets, so something must have been changed")

    def assert_equal_but_for_secrets(self, recorded: bytes, replayed: bytes, secrets: tuple) -> int:
        """Clients that hide a header hide its secrets too, so that each pattern is only looked for where it is."""
        patterns = tuple(b"(?i)" + pattern for pattern in secrets)
        present = tuple(p for p in dict.fromkeys(patterns) for _ in re.findall(p, recorded))
        places = secret_places(recorded, present)
        # How long a token lasts is no secret, but a profile may have it served as long enough.
        expiries = secret_places(recorded, tuple(p for p in present if p.endswith(EXPIRES_IN)))
        changed = [one for one in changed_ranges(recorded, replayed, places) if (one.begin, one.end) not in expiries]
        for one in changed:
            self.assertTrue(is_placeholder(one.replayed), one)
        left = set(places) - set(expiries) - {(one.begin, one.end) for one in changed}
        self.assertEqual(left, set(), "a secret was left")
        return len(changed)
