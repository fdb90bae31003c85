"""Recorded and replayed are equal, for two clients, two ways in, and crosswise, with the upstream gone.

Equal means: as the client saw it while recording, byte for byte, but for the places of secrets (and `expires_in`, which
is served as long enough), hop-by-hop fields, and what belongs to our hop when we are a reverse proxy.
"""

from support.case import TapedeckCase
from support.processes import FIRST_KEYS, wait_until
from support.raw_http import request_field
from support.served import changed_ranges, comparable, expected_message, first_difference, is_placeholder, secret_places
from support.sessions import EXCHANGES, EXPIRES_IN, Knowledge, exchanges_for, perform

BY_NAME = {exchange.name: exchange for exchange in EXCHANGES}
UPSTREAM = ("--upstream", "https://api.roaring.io")
EXPIRES_IN_MIN = 3600


class RecordReplayTest(TapedeckCase):
    def test_there_are_enough_different_exchanges(self):
        for client_name in ("curl", "requests"):
            requests = {(e.method, e.host, e.path, e.body) for e in exchanges_for(client_name, "connect", "origin")}
            self.assertGreaterEqual(len(requests), 36)

    def test_curl_recorded_through_connect(self):
        self.record_and_replay("curl", "connect")

    def test_curl_recorded_through_the_reverse_proxy(self):
        self.record_and_replay("curl", "origin")

    def test_requests_recorded_through_connect(self):
        self.record_and_replay("requests", "connect")

    def test_requests_recorded_through_the_reverse_proxy(self):
        self.record_and_replay("requests", "origin")

    def record_and_replay(self, client_name: str, recorded_way: str):
        cassette = self.folder / "session.cassette"
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, cassette, *(UPSTREAM if recorded_way == "origin" else ()))
        recorded = self.run_session(recorder, client_name, recorded_way, seed="recorded")
        self.stop_clean(recorder)
        stand_in.stop()
        raw = self.raw_answers(stand_in, len(recorded))
        for name, answer in recorded.items():
            with self.subTest(client=client_name, way=recorded_way, phase="recording", exchange=name):
                self.assert_untouched(BY_NAME[name], raw[name], answer, recorded_way, recorder.base_url, client_name)
        for replayed_way in ("connect", "origin"):
            self.replay(client_name, recorded_way, replayed_way, cassette, raw)

    def replay(self, client_name: str, recorded_way: str, replayed_way: str, cassette, raw: dict):
        before = cassette.read_bytes()
        replayer = self.tapedeck("replay", cassette, *(UPSTREAM if replayed_way == "origin" else ()))
        ways = {recorded_way, replayed_way}
        replayed = self.run_session(replayer, client_name, replayed_way, ways=ways, seed="replayed")
        self.stop_clean(replayer)
        changed = 0
        for name, answer in replayed.items():
            with self.subTest(client=client_name, recorded=recorded_way, replayed=replayed_way, exchange=name):
                base_url = replayer.base_url
                changed += self.assert_replayed(BY_NAME[name], raw[name], answer, replayed_way, base_url, client_name)
        self.assertGreater(changed, 0, "the session has secrets, so something must have been changed")
        self.assertEqual(cassette.read_bytes(), before, "replaying changed the cassette")
        self.assertEqual([file.name for file in self.folder.glob("session.cassette*")], [cassette.name])

    def raw_answers(self, stand_in, count: int) -> dict:
        wait_until(lambda: len(stand_in.transcripts()) >= count, "all transcripts")
        return {request_field(request, "X-Exchange"): response for request, response in stand_in.transcripts()}

    def assert_untouched(self, exchange, raw: bytes, answer, way: str, base_url: str, client_name: str):
        self.assertIsNone(answer.error)
        expected = expected_message(raw, exchange.method, way, base_url)
        whole = client_name == "curl"  # requests hides interim answers and trailers
        upstream, seen = comparable(expected, expected, whole), comparable(answer, expected, whole)
        if upstream != seen:
            self.fail(first_difference(upstream, seen))
        self.assertEqual(answer.body, expected.body)
        self.assert_content_length(exchange, expected, answer)

    def assert_replayed(self, exchange, raw: bytes, answer, way: str, base_url: str, client_name: str) -> int:
        """Lists every range that differs from the upstream's bytes and checks that each is a secret's place."""
        self.assertIsNone(answer.error)
        expected = expected_message(raw, exchange.method, way, base_url)
        whole = client_name == "curl"
        upstream, seen = comparable(expected, expected, whole), comparable(answer, expected, whole)
        places = secret_places(upstream, exchange.secrets)
        expiries = secret_places(upstream, tuple(p for p in exchange.secrets if p == EXPIRES_IN))
        ranges = changed_ranges(upstream, seen, places)
        listed = "\n".join(f"bytes {r.begin}-{r.end}: {r.upstream!r} is replayed as {r.replayed!r}" for r in ranges)
        self.assertEqual([(r.begin, r.end) for r in ranges], places, f"a secret was left; changed is only\n{listed}")
        for changed in ranges:
            if (changed.begin, changed.end) in expiries:
                self.assertGreaterEqual(int(changed.replayed), EXPIRES_IN_MIN)
            else:
                self.assertTrue(is_placeholder(changed.replayed), listed)
                self.assertNotIn(changed.upstream, changed.replayed)
        if not exchange.secrets:
            self.assertEqual(answer.body, expected.body)
        self.assert_content_length(exchange, expected, answer)
        return len(ranges)

    def assert_content_length(self, exchange, expected, answer):
        """Where the upstream gave a length, the client gets a right one."""
        length = answer.header("Content-Length")
        if exchange.method == "HEAD":
            self.assertEqual(length, expected.header("Content-Length"))
        elif expected.header("Content-Length") and not exchange.secrets:
            self.assertEqual(length, expected.header("Content-Length"))
        elif length:
            self.assertEqual(int(length), len(answer.body))


class KeysTest(TapedeckCase):
    def test_a_token_asked_for_by_form_answers_one_asked_for_by_header(self):
        cassette = self.folder / "token.cassette"
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, cassette)
        by_form, by_header = BY_NAME["token by form"], BY_NAME["token by Basic header"]
        self.assertEqual(self.perform(recorder, by_form).status, 200)
        self.stop_clean(recorder)
        replayer = self.tapedeck("replay", cassette)
        self.assertEqual(self.perform(replayer, by_header).status, 200)
        self.assertEqual(self.perform(replayer, by_form).status, 200)
        self.stop_clean(replayer)

    def perform(self, tapedeck, exchange):
        return perform(self.client("curl", tapedeck, "connect"), exchange, Knowledge(FIRST_KEYS, "form"))
