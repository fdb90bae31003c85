"""Bad input of every kind: one clear line or a problem+json, nothing recorded is lost, and the process lives."""

import json
import os
import random
import resource
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

from support.case import TapedeckCase
from support.origin import GARBAGE, unique_body
from support.processes import BINARY as PROGRAM, run_tapedeck, wait_until

HOST = "api.roaring.io"
UNIQUE = "/__stand_in/unique/"
BINARY = ("Content-Type", "application/octet-stream")


class BadCassetteTest(TapedeckCase):
    """Every reader and writer refuses it in one line that names the file, and leaves it as it is."""

    def setUp(self):
        super().setUp()
        self.good = self.folder / "good.cassette"
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, self.good)
        for n in range(3):
            self.client("curl", recorder, "connect").send("GET", HOST, f"{UNIQUE}{n}", [])
        self.stop_clean(recorder)
        stand_in.stop()

    def assert_refused(self, cassette, word: str, commands=("replay", "record", "auto", "list", "takes")):
        before = cassette.read_bytes()
        for command in commands:
            arguments = [command, "--cassette", cassette]
            if command in ("replay", "record", "auto"):
                arguments += ["--listen", "127.0.0.1:0", "--", "true"]
            with self.subTest(command=command):
                done = run_tapedeck(self.folder, *arguments, timeout_s=30)
                self.assertIn(done.returncode, (125,) if "--" in arguments else (1, 2), done.stderr)
                lines = done.stderr.strip().splitlines()
                self.assertEqual(len(lines), 1, done.stderr)
                self.assertIn(str(cassette), lines[0])
                self.assertRegex(lines[0].lower(), word)
                self.assertEqual(cassette.read_bytes(), before)

    def test_a_text_file(self):
        file = self.folder / "text.cassette"
        file.write_text("this is a shopping list\n" * 100)
        self.assert_refused(file, "not a (tapedeck )?cassette|no cassette|foreign|not a database")

    def test_another_programs_database(self):
        file = self.folder / "foreign.cassette"
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.close()
        self.assert_refused(file, "not a (tapedeck )?cassette|no cassette|foreign|another program")

    def test_a_newer_format(self):
        file = self.folder / "newer.cassette"
        shutil.copy(self.good, file)
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA user_version = 1000")
            connection.execute("UPDATE meta SET value = '1000' WHERE key IN ('format', 'min_reader')")
        connection.close()
        self.assert_refused(file, "newer")

    def test_a_truncated_file(self):
        file = self.folder / "truncated.cassette"
        file.write_bytes(self.good.read_bytes()[: self.good.stat().st_size // 2])
        self.assert_refused(file, "corrupt|damaged|malformed|truncated", ("replay", "list"))

    def test_a_file_overwritten_in_the_middle(self):
        """Whatever was hit: a refusal in one line or answers that are right, never a crash and never a wrong answer."""
        seed = int(os.environ.get("TAPEDECK_SEED", "20261123"))
        dice, data = random.Random(seed), self.good.read_bytes()
        for attempt in range(12):
            broken = bytearray(data)
            for _ in range(4):
                at = dice.randrange(100, len(broken) - 64)
                broken[at : at + 64] = dice.randbytes(64)
            file = self.folder / f"broken-{attempt}.cassette"
            file.write_bytes(broken)
            with self.subTest(attempt=attempt, seed=seed):
                done = run_tapedeck(
                    self.folder, "replay", "--cassette", file, "--allow-misses", "--",
                    "curl", "-qsS", "--max-time", "20", f"https://{HOST}{UNIQUE}1", timeout_s=40,
                )  # fmt: skip
                self.assertIn(done.returncode, (0, 125), done.stderr)
                if done.stdout and "urn:" not in done.stdout and "tapedeck" not in done.stdout.lower():
                    self.assertEqual(len(done.stdout), len(unique_body("1")))
                self.assertEqual(file.read_bytes(), bytes(broken))

    def test_a_folder(self):
        file = self.folder / "a-folder.cassette"
        file.mkdir()
        for command in ("replay", "record"):
            done = run_tapedeck(self.folder, command, "--cassette", file, "--", "true")
            self.assertEqual(done.returncode, 125, done.stderr)
            self.assertIn(str(file), done.stderr)

    def test_a_file_that_may_not_be_read(self):
        """Root may read everything, so another user asks, with no groups that could."""
        file = self.folder / "unreadable.cassette"
        shutil.copy(self.good, file)
        file.chmod(0o000)
        if os.geteuid() != 0:
            self.assert_refused_once(file, {})
            return
        self.folder.chmod(0o755)
        home = self.folder / "nobody"
        home.mkdir()
        os.chown(home, 65534, 65534)
        self.assert_refused_once(file, {"user": 65534, "group": 65534, "extra_groups": []}, home)

    def assert_refused_once(self, file, identity: dict, home=None):
        env = {"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CACHE_HOME": str(home)} if home else {}
        # A clone in /root is closed to others, so they get a copy of the program.
        binary = shutil.copy(PROGRAM, self.folder / "tapedeck")
        command = ("replay", "--cassette", file, "--", "true")
        done = run_tapedeck(self.folder, *command, binary=binary, env=env, cwd="/", **identity)
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertIn(str(file), done.stderr)
        self.assertRegex(done.stderr.lower(), "permission|read")

    def test_busy_with_another_writer(self):
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, self.good)
        begin = time.monotonic()
        done = run_tapedeck(self.folder, "record", "--cassette", self.good, "--", "true")
        self.assertGreater(time.monotonic() - begin, 3)
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertIn(str(recorder.pid), done.stderr)
        self.stop_clean(recorder)


class BadUsageTest(TapedeckCase):
    def test_each_refusal_is_one_line_that_names_the_mend(self):
        for name, arguments, words in (
            ("an unknown command", ("recrod",), ("recrod", "record")),
            ("an unknown option", ("record", "--casette", "x"), ("--casette",)),
            ("-u of another tool", ("record", "-u", "https://api.x.io"), ("-u", "--upstream")),
            ("-k of another tool", ("record", "-k"), ("-k", "--upstream-insecure")),
            ("--cacert of another tool", ("record", "--cacert", "ca.pem"), ("--cacert", "--upstream-ca")),
            ("a URL without a scheme", ("record", "--upstream", "api.roaring.io"), ("api.roaring.io", "https://")),
            ("a URL of another scheme", ("record", "--upstream", "ftp://api.roaring.io"), ("ftp",)),
            ("a URL with a path", ("record", "--upstream", "https://api.roaring.io/company/1.0"), ("/company/1.0",)),
            ("a bad port", ("record", "--listen", "127.0.0.1:99999"), ("99999",)),
            ("a bad glob", ("record", "--host", "api.*.io*"), ("api.*.io*",)),
            ("a URL as a host", ("record", "--host", "https://api.x.io"), ("https://api.x.io",)),
            ("a bad connect-to", ("record", "--connect-to", "api.x.io"), ("api.x.io", "HOST1:PORT1:HOST2:PORT2")),
            ("an unknown profile", ("record", "--profile", "roraing"), ("roraing", "roaring")),
            ("a bad miss status", ("replay", "--miss-status", "99"), ("99",)),
            ("a bad sequence", ("replay", "--sequence", "sometimes"), ("sometimes", "sticky")),
            ("a bad timing", ("replay", "--timing", "fast"), ("fast", "recorded")),
            ("a missing upstream CA", ("record", "--upstream-ca", "/nowhere/ca.pem"), ("/nowhere/ca.pem",)),
            ("remote without leave", ("record", "--listen", "0.0.0.0:0"), ("0.0.0.0", "--allow-remote")),
            ("a folder that is not there", ("record", "--cassette", "/nowhere/x.cassette"), ("/nowhere",)),
            ("a missing config", ("record", "--config", "/nowhere/tapedeck.json"), ("/nowhere/tapedeck.json",)),
        ):
            with self.subTest(name):
                done = run_tapedeck(self.folder, *arguments, timeout_s=20)
                self.assertIn(done.returncode, (1, 2) if "nowhere/x" in str(arguments) else (2,), done.stderr)
                lines = done.stderr.strip().splitlines()
                self.assertEqual(len(lines), 1, done.stderr)
                for word in words:
                    self.assertIn(word, lines[0])
                self.assertEqual(done.stdout, "")

    def test_a_bad_config_file_is_named_with_its_place(self):
        file = self.folder / "tapedeck.json"
        for text, word in (('{"cassette": 7}', "cassette"), ('{"casette": "x"}', "casette"), ("{nonsense", "JSON")):
            with self.subTest(text):
                file.write_text(text)
                done = run_tapedeck(self.folder, "record", "--config", file, "--", "true")
                self.assertIn(done.returncode, (2, 125), done.stderr)
                self.assertIn("tapedeck.json", done.stderr)
                self.assertIn(word, done.stderr)

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            cassette = self.folder / "x.cassette"
            done = run_tapedeck(self.folder, "record", "--listen", address, "--cassette", cassette, timeout_s=20)
        self.assertIn(done.returncode, (1, 2))
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn(address, done.stderr)


class FullDiskTest(TapedeckCase):
    """RLIMIT_FSIZE makes writes fail from a size on, for any user and on any file system."""

    LIMIT_BYTES = 400_000

    def limit_files(self):
        # A full disk fails a write without a signal, and so shall this.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.LIMIT_BYTES, self.LIMIT_BYTES))

    def test_what_was_kept_stays_and_nothing_is_given_that_was_not(self):
        cassette = self.folder / "full.cassette"
        stand_in = self.stand_in()
        recorder = self.recorder(stand_in, cassette, preexec_fn=self.limit_files)
        client = self.client("curl", recorder, "connect")
        given = []
        for n in range(40):
            path = f"/__stand_in/things/{n}"
            answer = client.send("PUT", HOST, path, [BINARY], random.Random(n).randbytes(30000))
            if answer.error is None and answer.status == 201:
                given.append((path, n, answer.body))
            else:
                break
        else:
            self.fail("the disk was never full")
        self.assertGreater(len(given), 0)
        if answer.error is None:
            self.assertEqual((answer.status, answer.header("Content-Type")), (502, "application/problem+json"))
        again = client.send("GET", HOST, UNIQUE + "after", [])
        self.assertTrue(again.error or again.status == 502, "recording has to stop loudly")
        self.assertTrue(recorder.alive(), recorder.stderr())
        self.assertNotEqual(recorder.stop(), 0)
        self.assertIn(str(cassette), recorder.stderr())
        self.assert_replayed(cassette, given)

    def assert_replayed(self, cassette, given: list):
        replayer = self.tapedeck("replay", cassette)
        client = self.client("curl", replayer, "connect")
        for path, n, body in given:
            answer = client.send("PUT", HOST, path, [BINARY], random.Random(n).randbytes(30000))
            self.assertEqual((answer.status, answer.body), (201, body))


class BadUpstreamTest(TapedeckCase):
    """The client is told (or cut off), the process lives, and the next exchange works."""

    def setUp(self):
        super().setUp()
        self.upstream = self.stand_in()

    def assert_told(self, answer, detail_words: tuple = ()):
        if answer.error is not None:
            return  # It was cut off: the failure came after the head.
        self.assertIn(answer.status, (502, 504), answer.body)
        self.assertEqual(answer.header("Content-Type"), "application/problem+json")
        problem = json.loads(answer.body)
        self.assertEqual(problem["status"], answer.status)
        for word in detail_words:
            self.assertIn(word, problem["detail"].lower())

    def assert_alive(self, tapedeck):
        answer = self.client("curl", tapedeck, "connect").send("GET", HOST, UNIQUE + "alive", [])
        self.assertEqual((answer.status, answer.body.decode()), (200, unique_body("alive")))

    def test_garbage_resets_and_cuts(self):
        recorder = self.recorder(self.upstream, self.folder / "upstream.cassette")
        client = self.client("curl", recorder, "connect")
        broken = ["reset/head", "reset/body", "close", "head-cut", "cut/length", "cut/chunked"]
        for path in [f"garbage/{kind}" for kind in GARBAGE] + broken:
            with self.subTest(path=path):
                answer = client.send("GET", HOST, "/__stand_in/" + path, [])
                whole_and_fine = answer.error is None and answer.status == 200
                self.assertFalse(whole_and_fine, f"a broken answer was passed on as a whole one: {answer.body[:80]!r}")
                self.assert_told(answer)
                self.assert_alive(recorder)
        self.stop_clean(recorder)

    def test_a_cut_answer_is_served_once_a_request(self):
        """One worker, so that the later requests are answered from what it remembers."""
        cassette = self.folder / "cut.cassette"
        recorder = self.recorder(self.upstream, cassette)
        client = self.client("curl", recorder, "connect")
        cut = client.send("GET", HOST, "/__stand_in/cut/length", [])
        self.stop_clean(recorder)
        replayer = self.tapedeck("replay", cassette, "--workers", "1")
        client = self.client("curl", replayer, "connect")
        for _ in range(3):
            again = client.send("GET", HOST, "/__stand_in/cut/length", [])
            self.assertEqual((again.status, again.body), (cut.status, cut.body))
            self.assertIsNotNone(again.error, "a cut answer ends the connection")
        self.assertIn("3 hits, 0 misses", self.stop_clean(replayer))

    def test_failures_are_replayed_as_the_client_saw_them(self):
        cassette = self.folder / "failures.cassette"
        recorder = self.recorder(self.upstream, cassette)
        paths = ("reset/head", "reset/body", "close", "cut/length", "cut/chunked", "garbage/noise")
        seen = {}
        for mode, tapedeck in (("record", recorder), ("replay", None)):
            if tapedeck is None:
                self.stop_clean(recorder)
                self.upstream.stop()
                tapedeck = self.tapedeck("replay", cassette)
            client = self.client("curl", tapedeck, "connect")
            answers = {path: client.send("GET", HOST, "/__stand_in/" + path, []) for path in paths}
            seen[mode] = {path: (a.status, a.error is not None) for path, a in answers.items()}
        self.assertEqual(seen["replay"], seen["record"])

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        recorder = self.tapedeck("record", self.folder / "x.cassette", "--connect-to", f"{HOST}:443:127.0.0.1:{port}")
        answer = self.client("curl", recorder, "origin").send("GET", HOST, "/x", [])
        self.assert_told(answer, ("refused",))
        self.assertEqual(answer.status, 502)
        self.assertTrue(recorder.alive())

    def test_an_upstream_that_never_says_a_word(self):
        """It accepts connections and stays silent; meanwhile others are served."""
        with socket.create_server(("127.0.0.1", 0), backlog=16) as mute:
            port = mute.getsockname()[1]
            mute_host = ("--connect-to", f"backend.roaring.io:443:127.0.0.1:{port}")
            options = (*mute_host, *self.upstream.upstream_options((HOST,)))
            recorder = self.tapedeck("record", self.folder / "mute.cassette", *options)
            client = self.client("curl", recorder, "connect")
            answers = []
            asking = threading.Thread(target=lambda: answers.append(client.send("GET", "backend.roaring.io", "/x", [])))
            asking.start()
            accepted, _ = mute.accept()
            with accepted:
                self.assert_alive(recorder)
                asking.join()
            self.assert_told(answers[0])
            self.assertTrue(answers[0].error or answers[0].status == 504, "the handshake has its time limit")
        self.stop_clean(recorder)

    def test_a_certificate_nobody_vouches_for(self):
        port = self.upstream.https_port
        cassette = self.folder / "x.cassette"
        recorder = self.tapedeck("record", cassette, "--connect-to", f"{HOST}:443:127.0.0.1:{port}")
        answer = self.client("curl", recorder, "connect").send("GET", HOST, "/x", [])
        self.assert_told(answer, ("certificate",))
        self.assertEqual(answer.status, 502)
        self.assertIn("--upstream-ca", answer.body.decode() + recorder.stderr())
        self.stop_clean(recorder)
        self.assertEqual(self.upstream.transcripts(), [])

    def test_a_certificate_for_another_name(self):
        other = "another-name.example"
        options = [*self.upstream.upstream_options((other,)), "--host", other]
        recorder = self.tapedeck("record", self.folder / "x.cassette", *options)
        answer = self.client("curl", recorder, "connect").send("GET", other, "/x", [])
        self.assert_told(answer, ("certificate",))
        self.assertEqual(answer.status, 502)
        self.stop_clean(recorder)
        self.assertEqual(self.upstream.transcripts(), [])

    def test_insecure_only_when_asked_and_with_a_warning(self):
        port = self.upstream.https_port
        options = ("--connect-to", f"{HOST}:443:127.0.0.1:{port}", "--upstream-insecure")
        recorder = self.tapedeck("record", self.folder / "x.cassette", *options)
        self.assert_alive(recorder)
        self.assertIn("--upstream-insecure", self.stop_clean(recorder))


class BadClientTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.upstream = self.stand_in()
        self.cassette = self.folder / "client.cassette"
        self.recorder_ = self.recorder(self.upstream, self.cassette, "--upstream", f"https://{HOST}")

    def connection(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.recorder_.port), timeout=20)
        self.addCleanup(sock.close)
        return sock

    def tunnel(self) -> ssl.SSLSocket:
        sock = self.connection()
        sock.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        self.assertTrue(head.startswith(b"HTTP/1.1 200"), head)
        context = ssl.create_default_context(cafile=self.recorder_.ca_file)
        secured = context.wrap_socket(sock, server_hostname=HOST)
        self.addCleanup(secured.close)
        return secured

    def read_all(self, sock) -> bytes:
        data = b""
        try:
            while piece := sock.recv(65536):
                data += piece
        except (ConnectionError, ssl.SSLError):
            pass
        return data

    def assert_alive(self):
        answer = self.client("curl", self.recorder_, "connect").send("GET", HOST, UNIQUE + "alive", [])
        self.assertEqual((answer.status, answer.body.decode()), (200, unique_body("alive")))

    def test_garbage_is_refused_with_a_4xx_or_a_close(self):
        host = f"Host: {HOST}\r\n"
        chunked = "Transfer-Encoding: chunked\r\n"
        for name, sent in (
            ("noise", b"\x00\x01\x02\x03\xff\xfe garbage\r\n\r\n"),
            ("no version", b"GET /\r\n\r\n"),
            ("no host", b"GET / HTTP/1.1\r\n\r\n"),
            ("two hosts", f"GET / HTTP/1.1\r\n{host}{host}\r\n".encode()),
            ("two lengths", f"POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab".encode()),
            ("a length twice", f"POST / HTTP/1.1\r\n{host}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab".encode()),
            ("length and chunks", f"POST / HTTP/1.1\r\n{host}Content-Length: 5\r\n{chunked}\r\n0\r\n\r\n".encode()),
            ("unknown coding", f"POST / HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".encode()),
            ("negative length", f"POST / HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n".encode()),
            ("huge length", f"POST / HTTP/1.1\r\n{host}Content-Length: 99999999999999999999\r\n\r\n".encode()),
            ("bad chunk", f"POST / HTTP/1.1\r\n{host}{chunked}\r\nzz\r\nab\r\n0\r\n\r\n".encode()),
            ("folded field", f"GET / HTTP/1.1\r\n{host}X-A: 1\r\n 2\r\n\r\n".encode()),
            ("space before colon", f"GET / HTTP/1.1\r\n{host}X-A : 1\r\n\r\n".encode()),
            ("bare line feeds", f"GET / HTTP/1.1\nHost: {HOST}\n\n".encode()),
            ("a null in a value", f"GET / HTTP/1.1\r\n{host}X-A: a\0b\r\n\r\n".encode()),
            ("endless head", f"GET / HTTP/1.1\r\n{host}".encode() + b"X-A: v\r\n" * 60000 + b"\r\n"),
            ("endless target", b"GET /" + b"a" * 300000 + f" HTTP/1.1\r\n{host}\r\n".encode()),
            ("connect without port", b"CONNECT api.roaring.io HTTP/1.1\r\nHost: api.roaring.io\r\n\r\n"),
            ("another host's name", b"GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n"),
        ):
            for way in ("plain", "tunnel"):
                if name.startswith("connect") and way == "tunnel":
                    continue
                with self.subTest(name, way=way):
                    sock = self.connection() if way == "plain" else self.tunnel()
                    try:
                        sock.sendall(sent)
                    except (ConnectionError, ssl.SSLError):
                        pass  # It may hang up before everything is said.
                    answer = self.read_all(sock)
                    refused = answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
                    self.assertTrue(answer == b"" or refused, answer[:200])
        self.assert_alive()
        # The head may have been forwarded before a bad chunk came, but no such request was whole for the upstream.
        answered = [request for request, response in self.upstream.transcripts() if response]
        self.assertEqual([request for request in answered if b"/unique/alive" not in request], [])

    def half_a_request(self) -> bytes:
        return f"POST /__stand_in/things/x HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100\r\n\r\nhalf".encode()

    def test_a_client_that_stalls_holds_up_nobody(self):
        for sent in (b"", b"GET /__stand_in/uni", b"\x16\x03\x01\x02\x00\x01", b"CONNECT api.roaring.io:443 HT"):
            self.connection().sendall(sent)
        self.tunnel().sendall(self.half_a_request())
        self.assert_alive()
        self.stop_clean(self.recorder_)

    def test_a_client_that_leaves_half_way_through_its_request(self):
        tunnel = self.tunnel()
        tunnel.sendall(self.half_a_request())
        tunnel.close()
        self.assert_alive()
        self.stop_clean(self.recorder_)

    def test_an_answer_the_client_did_not_wait_for_is_kept_whole(self):
        """The upstream is read to its end, and what was whole there answers later."""
        path = "/__stand_in/drip?total=400&bytes=20&ms=10"
        tunnel = self.tunnel()
        tunnel.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        self.assertTrue(tunnel.recv(20).startswith(b"HTTP/1.1 200"))
        tunnel.close()
        wait_until(lambda: self.upstream.transcripts(), "the end of the answer")
        self.assert_alive()
        self.stop_clean(self.recorder_)
        answers = [response for request, response in self.upstream.transcripts() if b"/drip" in request]
        replayer = self.tapedeck("replay", self.cassette)
        answer = self.client("curl", replayer, "connect").send("GET", HOST, path, [])
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(len(answer.body), 400)
        self.assertTrue(answers[0].endswith(b"0\r\n\r\n"))

    def test_pipelined_requests_are_answered_in_order(self):
        tunnel = self.tunnel()
        names = [f"pipe-{n}" for n in range(5)]
        sent = [f"GET {UNIQUE}{name} HTTP/1.1\r\nHost: {HOST}\r\n" for name in names]
        tunnel.sendall("\r\n".join([*sent[:-1], sent[-1] + "Connection: close\r\n\r\n"]).encode())
        answer = self.read_all(tunnel).decode()
        places = [answer.find(unique_body(name)) for name in names]
        self.assertNotIn(-1, places)
        self.assertEqual(places, sorted(places))


class ProxyTargetTest(TapedeckCase):
    def test_it_does_not_dial_itself(self):
        recorder = self.tapedeck("record", self.folder / "self.cassette", "--host", "*")
        for url in (f"http://127.0.0.1:{recorder.port}/x", f"http://localhost:{recorder.port}/x"):
            done = subprocess.run(
                ["curl", "-qsi", "--max-time", "20", "--noproxy", "", "--proxy", recorder.proxy_url, url],
                capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"},
            )  # fmt: skip
            self.assertRegex(done.stdout, r"^HTTP/1.1 (403|421|502|508)")
        self.assertTrue(recorder.alive())
