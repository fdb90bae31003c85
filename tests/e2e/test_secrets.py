"""Recorded with one pair of keys, replayed with another: everything hits, and neither pair is left anywhere."""

import json

from support.case import TapedeckCase
from support.processes import FIRST_KEYS, SECOND_KEYS
from support.raw_http import Message
from support.secret_forms import cassette_pieces, forms_of, places_of_secrets
from support.sessions import FORM, PASSWORD_FORM, Knowledge

# What the session uses as credentials; keyed by what a failure should call it.
SECRET_NAMES = (
    "id", "secret", "basic", "auth_code", "bank_password", "iban", "card_number",
    "partner_username", "partner_password",
)  # fmt: skip


class SecretsTest(TapedeckCase):
    def test_nothing_of_either_key_pair_is_left(self):
        cassette = self.folder / "secrets.cassette"
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, cassette, "-v")
        recorded = self.run_session(recorder, "curl", "connect", keys=FIRST_KEYS, seed="first")
        secrets = self.secrets_of(FIRST_KEYS, "first") | self.issued(stand_in)
        self.assertGreater(len(secrets), 12)
        # A crash would leave what is on the disk right now, the write-ahead log included.
        self.assert_no_secrets(secrets, self.files_beside(cassette))
        recorder_said = self.stop_clean(recorder)
        stand_in.stop()

        report = self.folder / "report.json"
        replayer = self.tapedeck("replay", cassette, "-v", "--report", report)
        replayed = self.run_session(replayer, "requests", "connect", keys=SECOND_KEYS, seed="second")
        replayer_said = self.stop_clean(replayer)
        secrets |= self.secrets_of(SECOND_KEYS, "second")

        pieces = list(cassette_pieces(cassette))
        self.assertGreater(len(pieces), 100, "the cassette should have been read")
        pieces += [("what the recorder said", recorder_said.encode())]
        pieces += [("what the replayer said", replayer_said.encode()), ("report", report.read_bytes())]
        pieces += [(f"{p.name}, ready file", json.dumps(p.ready).encode()) for p in (recorder, replayer)]
        self.assert_no_secrets(secrets, pieces)
        bodies = [(name, answer.decoded_body()) for name, answer in replayed.items()]
        self.assert_no_secrets(self.issued(stand_in), bodies)
        self.assertRegex(replayer_said, r"\b0 misses\b")
        self.assert_all_hit(recorded, replayed)

    def test_the_search_finds_what_it_looks_for(self):
        """The test above must be able to fail."""
        secret = SECOND_KEYS[1]
        for name, form in forms_of(secret).items():
            found = places_of_secrets(b"before " + form + b" after", {"secret": secret})
            self.assertIn(f"secret, {name}", found)
        basic = Knowledge(SECOND_KEYS, "x").own_secrets()["basic"].encode()
        self.assertTrue(places_of_secrets(basic, {"secret": secret}), "a secret inside of a coded pair is found")

    def test_misses_do_not_tell_secrets(self):
        cassette = self.folder / "misses.cassette"
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, cassette)
        self.run_session(recorder, "curl", "connect", keys=FIRST_KEYS, seed="first")
        self.stop_clean(recorder)
        replayer = self.tapedeck("replay", cassette, "-v")
        client, knowledge = self.client("curl", replayer, "connect"), Knowledge(SECOND_KEYS, "second")
        token = "a-bearer-token-that-nobody-issued"
        path = knowledge.fill("/global/bank-account-data/1.0/auth/session?authCode={auth_code_q}&other=1")
        form = knowledge.fill(PASSWORD_FORM + "&x=1").encode()
        headers = [("Authorization", f"Bearer {token}")]
        answers = [
            client.send("GET", "api.roaring.io", path, headers),
            client.send("POST", "api.roaring.io", "/token", [FORM], form),
            client.send("DELETE", "api.roaring.io", path, headers),
        ]
        said = self.stop_clean(replayer)
        self.assertEqual([answer.status for answer in answers], [501] * 3)
        secrets = self.secrets_of(SECOND_KEYS, "second") | {"bearer token": token}
        pieces = [("miss", self.all_bytes(answer)) for answer in answers] + [("standard error", said.encode())]
        self.assert_no_secrets(secrets, pieces)

    def secrets_of(self, keys: tuple, seed: str) -> dict:
        values = Knowledge(keys, seed).own_secrets()
        return {f"{name} of {seed} keys": values[name] for name in SECRET_NAMES}

    def issued(self, stand_in) -> dict:
        return {f"issued secret {n}": value for n, value in enumerate(stand_in.issued_secrets())}

    def files_beside(self, cassette) -> list:
        return [(file.name, file.read_bytes()) for file in cassette.parent.glob(cassette.name + "*")]

    def all_bytes(self, answer: Message) -> bytes:
        return repr((answer.status_line, answer.headers)).encode() + answer.body

    def assert_no_secrets(self, secrets: dict, pieces: list):
        left = {f"{place}: {found}" for place, data in pieces for found in places_of_secrets(data, secrets)}
        self.assertEqual(sorted(left), [])

    def assert_all_hit(self, recorded: dict, replayed: dict):
        statuses = {name: answer.status for name, answer in replayed.items()}
        self.assertEqual(statuses, {name: recorded[name].status for name in replayed})
