"""Bodies of any size, both ways, recorded and replayed in memory that does not grow with them.

TAPEDECK_LARGE_MIB sets the size of the largest (96): with 2048 this is the measurement of two gigabytes up and down.
"""

import hashlib
import json
import os
import re
import subprocess
import time
import zlib
from pathlib import Path

from support.case import TapedeckCase
from support.large import BLOCK, LargeClient, LargeOrigin, blocks, digest_of
from support.processes import BINARY, clean_environment, run_tapedeck, wait_until

MIB = 1024 * 1024
LARGE = int(os.environ.get("TAPEDECK_LARGE_MIB", "96")) * MIB
RESIDENT_MB_MAX = 64
HELD = 8 * MIB  # body_memory_bytes_max

IS_SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ


def resident_mb(pid: int, what: str = "VmHWM") -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) / 1000


class LargeBodiesTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.origin = LargeOrigin()
        self.addCleanup(self.origin.close)
        self.cassette = self.folder / "large.cassette"

    def proxy(self, mode: str, *options):
        upstream = f"http://127.0.0.1:{self.origin.port}"
        return self.tapedeck(mode, self.cassette, "--profile", "none", "--upstream", upstream, *options)

    def record_and_replay(self, exchanges, stop_origin=True, replay_options=()):
        """`exchanges` is called with a client and returns what it saw; both runs must see the same. Gives that and the
        resident memory of both programs."""
        seen, resident = [], []
        for mode in ("record", "replay"):
            tapedeck = self.proxy(mode, *(replay_options if mode == "replay" else ()))
            with LargeClient(tapedeck.port) as client:
                seen.append(exchanges(client))
            resident.append(resident_mb(tapedeck.pid))
            said = self.stop_clean(tapedeck)
            if mode == "record" and stop_origin:
                self.origin.close()
        self.assertEqual(seen[0], seen[1])
        self.assertIn(" 0 misses", said)
        return seen[0], resident

    def assert_small(self, resident: list):
        print(f"       resident while recording {resident[0]:.0f} MB, while replaying {resident[1]:.0f} MB")
        if not IS_SANITIZED:
            self.assertLess(max(resident), RESIDENT_MB_MAX)

    def test_down(self):
        for chunked in (False, True):
            with self.subTest(chunked=chunked):
                self.cassette = self.folder / f"down-{chunked}.cassette"
                self.origin = LargeOrigin()

                def down(client):
                    client.ask(f"/down/{LARGE}{'/chunked' if chunked else ''}")
                    return client.answer()

                seen, resident = self.record_and_replay(down)
                self.assertEqual(seen, (200, LARGE, digest_of(LARGE)))
                self.assert_small(resident)

    def test_up(self):
        for chunked in (False, True):
            with self.subTest(chunked=chunked):
                self.cassette = self.folder / f"up-{chunked}.cassette"
                self.origin = LargeOrigin()
                seen, resident = self.record_and_replay(lambda client: client.upload("/up", LARGE, chunked))
                self.assertEqual(seen, (200, f"{LARGE} {digest_of(LARGE)}"))
                self.assert_small(resident)

    def test_sizes_around_every_bound(self):
        sizes = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, MIB, MIB + 1, HELD - 1, HELD, HELD + 1, HELD + BLOCK, 2 * HELD + 17]

        def all_sizes(client):
            seen = []
            for size in sizes:
                for chunked in ("", "/chunked"):
                    client.ask(f"/down/{size}{chunked}")
                    seen.append(client.answer())
                seen.append(client.upload("/up", size, size % 2 == 1))
            return seen

        seen, _ = self.record_and_replay(all_sizes)
        for size, (plain, chunked, up) in zip(sizes, zip(*[iter(seen)] * 3)):
            self.assertEqual(plain, chunked, size)
            self.assertEqual(up, (200, f"{size} {digest_of(size)}"))
            if size > 4096:
                self.assertEqual(plain, (200, size, digest_of(size)))

    def test_list_and_show_tell_of_them(self):
        size = HELD + 5
        recorder = self.proxy("record")
        with LargeClient(recorder.port) as client:
            client.ask(f"/down/{size}")
            client.answer()
            client.upload("/up", size, False)
        self.stop_clean(recorder)
        listed = run_tapedeck(self.folder, "list", "--json", "--cassette", self.cassette)
        ids = {Path(line["url"]).name: line["id"] for line in map(json.loads, listed.stdout.splitlines())}
        sizes = [json.loads(line)["response_bytes"] for line in listed.stdout.splitlines()]
        self.assertIn(size, sizes)
        down = run_tapedeck(self.folder, "show", ids[str(size)], "--cassette", self.cassette)
        self.assertIn("# a body of 8.4 MB, too large to be shown here; tapedeck show", down.stdout)
        up = run_tapedeck(self.folder, "show", ids["up"], "--cassette", self.cassette)
        self.assertIn("# a body of 8.4 MB, too large to be shown here\n", up.stdout)
        raw = subprocess.run(
            [BINARY, "show", str(ids[str(size)]), "--raw", "--cassette", self.cassette],
            env=clean_environment(self.folder / "home"), capture_output=True, timeout=60, check=True,
        ).stdout  # fmt: skip
        self.assertEqual((len(raw), hashlib.sha256(raw).hexdigest()), (size, digest_of(size)))

    def test_another_large_body_misses(self):
        recorder = self.proxy("record")
        with LargeClient(recorder.port) as client:
            client.upload("/up", HELD + 5, False, seed="one")
        self.stop_clean(recorder)
        replayer = self.proxy("replay")
        for size, seed, status in ((HELD + 5, "one", 200), (HELD + 5, "other", 501), (HELD + 6, "one", 501)):
            with LargeClient(replayer.port) as client:
                first, *_ = client.upload("/up", size, True, seed)
                self.assertEqual(first, status, (size, seed))

    def test_both_ways_at_once(self):
        def both(client):
            client.begin_upload(f"/both/{3 * HELD}", 3 * HELD, True)
            for block in blocks(3 * HELD):
                client.send(b"%x\r\n%s\r\n" % (len(block), block))
                self.read_some(client)
            client.send(b"0\r\n\r\n")
            return client.answer()

        seen, _ = self.record_and_replay(both)
        self.assertEqual(seen, (200, 3 * HELD, digest_of(3 * HELD)))

    @staticmethod
    def read_some(client) -> None:
        """Takes what has come so far off the socket, so that neither side waits for the other."""
        sock = client.wire.sock
        sock.setblocking(False)
        try:
            while piece := sock.recv(MIB):
                client.wire._buffer += piece
        except BlockingIOError:
            pass
        finally:
            sock.settimeout(120)

    def test_slow_reader_of_a_fast_upstream(self):
        """What nobody reads yet stays where it is: with the upstream while recording, in the cassette while replaying."""
        size = max(LARGE, 64 * MIB)
        for mode in ("record", "replay"):
            tapedeck = self.proxy(mode)
            with LargeClient(tapedeck.port, receive_buffer=64 * 1024) as client:
                client.ask(f"/down/{size}")
                before = resident_mb(tapedeck.pid, "VmRSS")
                self.wait_until_nothing_moves(tapedeck)
                if mode == "record":
                    self.assertLess(self.origin.sent, 32 * MIB, "the upstream was read though nobody reads")
                grown = resident_mb(tapedeck.pid, "VmRSS") - before
                self.assertEqual(client.answer(), (200, size, digest_of(size)))
                peak = resident_mb(tapedeck.pid)
            print(f"       {mode}: grown by {grown:.1f} MB while nobody read, at most {peak:.0f} MB resident")
            if not IS_SANITIZED:
                self.assertLess(peak, RESIDENT_MB_MAX)
            self.stop_clean(tapedeck)

    @staticmethod
    def wait_until_nothing_moves(tapedeck) -> None:
        """Until the process has used no more CPU for half a second, or a little: its own timers tick."""

        def ticks() -> int:
            fields = Path(f"/proc/{tapedeck.pid}/stat").read_text().rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])

        state = {"ticks": ticks(), "since": time.monotonic()}

        def is_still() -> bool:
            now = ticks()
            if now > state["ticks"] + 1:
                state.update(ticks=now, since=time.monotonic())
            return time.monotonic() - state["since"] > 0.5

        wait_until(is_still, "the proxy to stand still")

    def test_early_answers_while_the_upload_goes_on(self):
        """An upstream that answers 401 or 413 and reads no further: the client has the answer, and so has the cassette."""
        for status in (401, 413):
            with self.subTest(status=status):
                self.cassette = self.folder / f"early-{status}.cassette"
                self.origin = LargeOrigin()
                seen = []
                for mode in ("record", "replay"):
                    tapedeck = self.proxy(mode)
                    with LargeClient(tapedeck.port) as client:
                        client.begin_upload(f"/early/{status}", 0, True)
                        try:
                            for block in blocks(2 * HELD):
                                client.send(b"%x\r\n%s\r\n" % (len(block), block))
                            client.send(b"0\r\n\r\n")
                        except OSError:
                            pass  # Whoever has answered need not read on.
                        seen.append(client.answer())
                    self.stop_clean(tapedeck)
                self.assertEqual(seen, [(status, "too early")] * 2)
                shown = self.listed()
                self.assertEqual([line for line in shown if str(status) in line][:1], shown[:1], shown)

    def listed(self) -> list:
        listing = run_tapedeck(self.folder, "list", "--cassette", self.cassette)
        self.assertEqual(listing.returncode, 0, listing.stderr)
        return [line for line in listing.stdout.splitlines() if "/early/" in line]

    def test_multipart_whatever_its_boundary(self):
        recorder = self.proxy("record")
        with LargeClient(recorder.port) as client:
            recorded = self.send_multipart(client, "first-boundary", b"a")
        self.stop_clean(recorder)
        self.origin.close()
        replayer = self.proxy("replay")
        with LargeClient(replayer.port) as client:
            self.assertEqual(self.send_multipart(client, "another-boundary-that-is-longer", b"a"), recorded)
        with LargeClient(replayer.port) as client:
            self.assertEqual(self.send_multipart(client, "first-boundary", b"b")[0], 501)

    @staticmethod
    def send_multipart(client, boundary: str, last: bytes) -> tuple:
        content = b"".join(blocks(HELD)) + b"\r\n--" + last
        body = b""
        for name, value in (("note", b"hello"), ("file", content)):
            body += b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n' % (boundary.encode(), name.encode())
            body += value + b"\r\n"
        body += b"--%s--\r\n" % boundary.encode()
        client.begin_upload("/up", len(body), False, f"Content-Type: multipart/form-data; boundary={boundary}\r\n")
        client.send(body)
        return client.answer()

    def test_ranges(self):
        def ranges(client):
            seen = []
            for fields in ("", "Range: bytes=0-99\r\n", f"Range: bytes=100-{HELD + 300}\r\n"):
                client.ask(f"/down/{2 * HELD}", fields)
                seen.append(client.answer())
            return seen

        seen, _ = self.record_and_replay(ranges)
        self.assertEqual([answer[0] for answer in seen], [200, 206, 206])
        self.assertEqual(seen[2][1], HELD + 201)

    def test_an_unfinished_upload_answers_no_shorter_request(self):
        """What came of an upload before it was turned down is no request of its own, and a whole one is preferred."""
        recorder = self.proxy("record")
        with LargeClient(recorder.port) as client:
            client.begin_upload("/early/413", 0, True)
            client.send(b"5\r\nfirst\r\n")
            self.assertEqual(client.answer(), (413, "too early"))
        with LargeClient(recorder.port) as client:
            whole = client.upload("/up", 5, True)
        self.stop_clean(recorder)
        replayer = self.proxy("replay")
        for target, expected in (("/early/413", (413, "too early")), ("/up", whole)):
            with LargeClient(replayer.port) as client:
                self.assertEqual(client.upload(target, 5, True), expected)
        with LargeClient(replayer.port) as client:
            client.ask("/early/413")
            self.assertEqual(client.answer()[0], 501, "a request without a body is another one")

    def test_a_coded_body_that_shrinks_when_it_is_coded_anew(self):
        """Above the bound as it comes, below it as it is kept."""
        text = b"".join(blocks(HELD + HELD // 8, "coded"))
        stored = zlib.compressobj(level=0, wbits=31)
        body = stored.compress(text) + stored.flush()
        self.assertGreater(len(body), HELD)

        def coded(client):
            client.begin_upload("/up", len(body), False, "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n")
            client.send(body)
            return client.answer()

        seen, _ = self.record_and_replay(coded)
        self.assertEqual(seen[0], 200)

    def test_auto_finds_a_large_request_again_in_the_next_run(self):
        upstream = ("--profile", "none", "--upstream", f"http://127.0.0.1:{self.origin.port}")
        for run in range(2):
            tapedeck = self.tapedeck("auto", self.cassette, *upstream)
            with LargeClient(tapedeck.port) as client:
                answer = client.upload("/up", 2 * HELD, False)
            self.assertEqual(answer, (200, f"{2 * HELD} {digest_of(2 * HELD)}"))
            self.stop_clean(tapedeck)
        self.assertEqual(self.origin.requests, 1)

    def test_a_client_that_leaves_costs_nothing_but_its_answer(self):
        """The rest is read for the recording, and a whole answer is kept."""
        recorder = self.proxy("record")
        with LargeClient(recorder.port) as client:
            client.ask(f"/down/{4 * HELD}")
            client.wire.head()
        wait_until(lambda: self.origin.sent == 4 * HELD, "the upstream to have been read to its end")
        self.stop_clean(recorder)
        self.origin.close()
        replayer = self.proxy("replay")
        with LargeClient(replayer.port) as client:
            client.ask(f"/down/{4 * HELD}")
            self.assertEqual(client.answer(), (200, 4 * HELD, digest_of(4 * HELD)))
