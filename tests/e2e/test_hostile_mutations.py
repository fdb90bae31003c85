"""Thousands of messages that were changed a little: what goes on means the same to h11 as what was kept of it. Where
h11 can read what came in, that means the same too, so no two parsers in a row see different messages."""

import os
import random

from support.case import TapedeckCase
from support.hostile import (
    HOST,
    ReadingUpstream,
    SayingUpstream,
    converse,
    read_requests,
    read_responses,
    without_own_via,
)
from support.mutation import REQUESTS, RESPONSES, field_list, kept_exchanges, mutated

COUNT = int(os.environ.get("TAPEDECK_MUTATIONS", "2000"))
FRAMING = {"content-length", "transfer-encoding"}
ENDS_HERE = {"connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "tapedeck-session"}
ENDS_HERE |= {"proxy-authorization", "proxy-authenticate", "proxy-authentication-info", "alt-svc", "trailer"}


class HostileMutationsTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("TAPEDECK_SEED", random.randrange(1 << 32)))
        self.chance = random.Random(self.seed)
        self.cassette = self.folder / "mutated.cassette"

    def record(self, upstream):
        self.addCleanup(upstream.close)
        return self.tapedeck("record", self.cassette, *upstream.options())

    def context(self, message: bytes, *more) -> str:
        return "\n".join([f"TAPEDECK_SEED={self.seed}", repr(message), *map(repr, more)])

    def check_fields(self, passed: list, kept: list, context: str):
        """In order, and nothing is missing but what ends at this hop."""
        own = FRAMING | {"host"}
        left = [(name, value) for name, value in passed if name.lower() not in own]
        named = {part.strip(" \t").lower() for n, v in kept if n.lower() == "connection" for part in v.split(",")}
        for name, value in kept:
            if name.lower() in own:
                continue
            if left and left[0] == (name, value):
                left.pop(0)
            else:
                self.assertIn(name.lower(), ENDS_HERE | named, context)
        left = [f"{name}: {value}" for name, value in left if name.lower() != "connection"]
        self.assertEqual(without_own_via(left), [], context)

    def test_requests(self):
        upstream = ReadingUpstream()
        recorder = self.record(upstream)
        messages = [mutated(self.chance, REQUESTS) for _ in range(COUNT)]
        counts = []  # of whole requests at the upstream, after each message
        for message in messages:
            converse(recorder.port, message, half_close=True)
            counts.append(len(upstream.requests))
        self.stop_clean(recorder)
        self.assertEqual(upstream.complaints, [], f"TAPEDECK_SEED={self.seed}")
        passed = upstream.requests
        kept = [row for row in kept_exchanges(self.cassette) if row["state"] == "whole"]
        self.assertEqual(len(passed), len(kept), f"TAPEDECK_SEED={self.seed}")
        self.assertGreater(len(passed), COUNT // 4)
        for request, row in zip(passed, kept):
            context = self.context(b"(see the target)", request, row)
            self.assertEqual((request.method, request.target), (row["method"], row["target"]), context)
            self.assertEqual(request.body, row["sent"] or b"", context)
            self.assertEqual(request.trailers, field_list(row["request_trailers"] or b""), context)
            self.check_fields(request.headers, field_list(row["request_headers"]), context)
        self.check_against_the_original(messages, counts, passed)

    def check_against_the_original(self, messages: list, counts: list, passed: list):
        agreed = 0
        for message, begin, end in zip(messages, [0, *counts], counts):
            original, rest, complaint = read_requests(message)
            if not rest and not complaint:
                self.assertLessEqual(end - begin, len(original), self.context(message, passed[begin:end], original))
            for ours, theirs in zip(passed[begin:end], original):
                context = self.context(message, ours, theirs)
                path = theirs.target.partition("://")[2].partition("/")[2]
                same_target = ours.target == theirs.target or ours.target.partition("/")[2] == path
                self.assertTrue(same_target, context)
                self.assertEqual((ours.method, ours.body), (theirs.method, theirs.body), context)
                self.assertEqual(ours.trailers, theirs.trailers, context)
                agreed += 1
        self.assertGreater(agreed, COUNT // 4)

    def test_responses(self):
        messages = {f"/m/{n}": mutated(self.chance, RESPONSES) for n in range(COUNT)}
        recorder = self.record(SayingUpstream({target: (message, True) for target, message in messages.items()}))
        seen = {}
        for target in messages:
            request = f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
            seen[target] = read_responses(converse(recorder.port, request, half_close=False), ["GET"])
        self.stop_clean(recorder)
        kept = {row["target"]: row for row in kept_exchanges(self.cassette)}
        self.assertEqual(kept.keys(), messages.keys())
        agreed = 0
        for target, message in messages.items():
            final, row = seen[target][-1], kept[target]
            context = self.context(message, final, row)
            if row["state"] != "whole":
                self.assertTrue(final.status == 502 or not final.whole, context)
                continue
            self.assertTrue(final.whole, context)
            self.assertEqual((final.status, final.body), (row["status"], row["received"] or b""), context)
            self.assertEqual(final.trailers, field_list(row["response_trailers"] or b""), context)
            self.check_fields(final.headers, field_list(row["response_headers"]), context)
            original = [response for response in read_responses(message, ["GET"]) if response.status >= 200]
            if original and original[0].whole:
                agreed += 1
                self.assertEqual((final.status, final.body), (original[0].status, original[0].body), context)
                self.assertEqual(final.trailers, original[0].trailers, context)
        self.assertGreater(agreed, COUNT // 4)
