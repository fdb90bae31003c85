"""The comparison that the other tests trust: it has to see every difference, and name each range."""

import unittest

from support.raw_http import parse_answer
from support.served import ChangedRange, changed_ranges, comparable, expected_message, is_placeholder, secret_places
from support.sessions import ACCESS_TOKEN

UPSTREAM = b'{"access_token":"abc-123","code":"ADDRESS","expires_in":10}'


class ChangedRangesTest(unittest.TestCase):
    def ranges(self, replayed: bytes) -> list:
        return changed_ranges(UPSTREAM, replayed, secret_places(UPSTREAM, (ACCESS_TOKEN,)))

    def test_a_replaced_secret_is_one_range(self):
        replayed = UPSTREAM.replace(b"abc-123", b"{{tapedeck:access-token}}")
        self.assertEqual(self.ranges(replayed), [ChangedRange(17, 24, b"abc-123", b"{{tapedeck:access-token}}")])

    def test_a_secret_that_was_left_is_no_range(self):
        self.assertEqual(self.ranges(UPSTREAM), [])

    def test_any_other_change_is_an_error(self):
        for name, replayed in (
            ("a business code", UPSTREAM.replace(b"ADDRESS", b"{{tapedeck:code}}")),
            ("a number", UPSTREAM.replace(b"10", b"11")),
            ("a byte more", UPSTREAM + b" "),
            ("a byte less", UPSTREAM[:-1]),
        ):
            with self.subTest(name), self.assertRaises(AssertionError):
                self.ranges(replayed)

    def test_a_pattern_without_a_place_is_an_error(self):
        with self.assertRaises(AssertionError):
            secret_places(b"{}", (ACCESS_TOKEN,))

    def test_placeholders(self):
        for value, expected in (
            (b"{{tapedeck:client-secret}}", True),
            (b"00000000-0000-4000-8000-000000000001", True),
            (b"abc-123", False),
            (b"{{tapedeck:}}", False),
        ):
            self.assertEqual(is_placeholder(value), expected, value)


class ServedTest(unittest.TestCase):
    RAW = (
        b"HTTP/1.0 200 \r\nA: 1\r\nContent-Length: 2\r\nStrict-Transport-Security: x\r\nAlt-Svc: y\r\nConnection: close\r\n"
        b"Location: https://api.roaring.io/z\r\nA: 2\r\n\r\nok"
    )

    def test_what_each_way_in_is_served(self):
        for way, names, location in (
            ("connect", ["A", "Content-Length", "Strict-Transport-Security", "Location", "A"], "https://api.roaring.io/z"),
            ("origin", ["A", "Content-Length", "Location", "A"], "http://127.0.0.1:1/z"),
        ):
            with self.subTest(way):
                message = expected_message(self.RAW, "GET", way, "http://127.0.0.1:1")
                self.assertEqual([name for name, _ in message.headers], names)
                self.assertEqual(message.header("Location"), location)
                self.assertEqual((message.status_line, message.body), ("HTTP/1.1 200 ", b"ok"))

    def test_every_part_of_an_answer_is_compared(self):
        raw = b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nContent-Length: 2\r\n\r\nok"
        expected = parse_answer(raw)
        for name, other in (
            ("status", raw.replace(b"200", b"201")),
            ("reason", raw.replace(b"OK", b"Ok")),
            ("a name's case", raw.replace(b"A:", b"a:")),
            ("a value", raw.replace(b"1\r\nB", b"3\r\nB")),
            ("the order", raw.replace(b"A: 1\r\nB: 2", b"B: 2\r\nA: 1")),
            ("the place of the length", raw.replace(b"B: 2\r\nContent-Length: 2", b"Content-Length: 2\r\nB: 2")),
            ("one field less", raw.replace(b"B: 2\r\n", b"")),
            ("the body", raw.replace(b"ok", b"no")),
        ):
            with self.subTest(name):
                seen = comparable(parse_answer(other), expected, True)
                self.assertNotEqual(seen, comparable(expected, expected, True))
