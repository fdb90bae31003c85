"""Every way into the one port, recorded and replayed, over connections that are kept."""

import ssl
import subprocess

from support.case import TapedeckCase
from support.raw_server import EchoServer, RawClient

HOST = "api.roaring.io"
OTHER = "backend.roaring.io"
HEALTH = "/__tapedeck/health"


class WaysInTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.stand = self.stand_in()
        self.plain = EchoServer()
        self.addCleanup(self.plain.close)
        self.cassette = self.folder / "ways.cassette"
        self.options = ("--host", HOST, "--host", OTHER, "--upstream", f"https://{HOST}")

    def record(self, *options):
        plain = [f"{host}:80:127.0.0.1:{self.plain.port}" for host in (HOST, OTHER)]
        plain_options = [option for rule in plain for option in ("--connect-to", rule)]
        return self.recorder(self.stand, self.cassette, *plain_options, *self.options, *options)

    def connect(self, tapedeck, authority: str) -> RawClient:
        client = RawClient(tapedeck.port)
        self.addCleanup(client.sock.close)
        self.assertEqual(client.ask(f"CONNECT {authority} HTTP/1.1", f"Host: {authority}").status, 200)
        return client

    def tls(self, tapedeck, name: str | None) -> RawClient:
        client = RawClient(tapedeck.port)
        self.addCleanup(client.sock.close)
        client.start_tls(tapedeck.ca_file, name)
        return client

    def plain_client(self, tapedeck) -> RawClient:
        client = RawClient(tapedeck.port)
        self.addCleanup(client.sock.close)
        return client

    def tunnel_with_tls(self, tapedeck, authority: str, name: str) -> RawClient:
        client = self.connect(tapedeck, authority)
        client.start_tls(tapedeck.ca_file, name)
        return client

    def ways(self) -> list:
        """(name, how to come in, what stands before a path in the request line, Host)"""
        return [
            ("CONNECT, TLS", lambda t: self.tunnel_with_tls(t, f"{HOST}:443", HOST), "", HOST),
            ("CONNECT, plain", lambda t: self.connect(t, f"{HOST}:80"), "", HOST),
            ("CONNECT to an address", lambda t: self.tunnel_with_tls(t, "192.0.2.7:443", HOST), "", HOST),
            ("CONNECT to an IPv6 address", lambda t: self.tunnel_with_tls(t, "[2001:db8::7]:443", HOST), "", HOST),
            ("absolute-form, http", self.plain_client, f"http://{HOST}", HOST),
            ("absolute-form, https", self.plain_client, f"https://{HOST}", HOST),
            ("TLS straight away", lambda t: self.tls(t, HOST), "", HOST),
            ("origin-form", self.plain_client, "", "127.0.0.1"),
            ("origin-form in TLS", lambda t: self.tls(t, None), "", "127.0.0.1"),
            ("origin-form in TLS by name", lambda t: self.tls(t, "localhost"), "", "localhost"),
        ]

    def ask_all(self, tapedeck) -> dict:
        """Three requests over each connection."""
        answers = {}
        for number, (name, come_in, prefix, host) in enumerate(self.ways()):
            client = come_in(tapedeck)
            self.assertEqual(client.ask(f"GET {prefix}{HEALTH} HTTP/1.1", f"Host: {host}").body, b"ok\n", name)
            for turn in range(3):
                path = f"/__stand_in/unique/way-{number}-{turn}"
                answer = client.ask(f"GET {prefix}{path} HTTP/1.1", f"Host: {host}")
                self.assertEqual(answer.status, 200, (name, turn, answer.body))
                answers[name, turn] = answer.body
            self.assertEqual(client.ask(f"GET {prefix}{HEALTH} HTTP/1.1", f"Host: {host}").body, b"ok\n", name)
        return answers

    def test_a_body_sent_to_the_health_path_is_no_request(self):
        """A web page may send a body to us, but not the head of a request of its choice within it."""
        recorder = self.record()
        smuggled = f"GET http://{HOST}/smuggled HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
        client = self.plain_client(recorder)
        head = f"POST {HEALTH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(smuggled)}\r\n\r\n"
        client.sock.sendall((head + smuggled).encode())
        received = b""
        while piece := client.sock.recv(65536):
            received += piece
        self.assertEqual(received.count(b"HTTP/1.1 "), 1, received)
        self.assertIn(b"Connection: close", received)
        self.assertIn("recorded 0 exchanges", self.stop_clean(recorder))

    def test_recorded_by_every_way_and_replayed_by_each(self):
        recorder = self.record()
        recorded = self.ask_all(recorder)
        self.stop_clean(recorder)
        self.assertEqual(len(set(recorded.values())), len(recorded))
        requests = [request for request, _ in self.stand.transcripts()] + self.plain.heads
        self.assertFalse([request for request in requests if b"health" in request], "health was forwarded")
        self.stand.stop()
        self.plain.close()
        replayer = self.tapedeck("replay", self.cassette, *self.options)
        self.assertEqual(self.ask_all(replayer), recorded)
        self.stop_clean(replayer)

    def test_what_one_way_recorded_another_replays(self):
        recorder = self.record()
        path = "/__stand_in/unique/crosswise"
        recorded = self.tunnel_with_tls(recorder, f"{HOST}:443", HOST).ask(f"GET {path} HTTP/1.1", f"Host: {HOST}")
        self.stop_clean(recorder)
        replayer = self.tapedeck("replay", self.cassette, *self.options)
        for name, come_in, prefix, host in self.ways():
            if name in ("CONNECT, plain", "absolute-form, http"):
                continue  # Another origin.
            answer = come_in(replayer).ask(f"GET {prefix}{path} HTTP/1.1", f"Host: {host}")
            self.assertEqual((answer.status, answer.body), (200, recorded.body), name)

    def test_one_connection_for_many_origins(self):
        recorder = self.record()
        client = self.plain_client(recorder)
        for _ in range(2):
            for scheme, host in (("https", HOST), ("http", OTHER), ("https", OTHER), ("http", HOST)):
                answer = client.ask(f"GET {scheme}://{host}/__stand_in/unique/mixed HTTP/1.1", "Host: elsewhere.example")
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.body.startswith(b"GET /__stand_in"), scheme == "http", (scheme, host))
            self.assertEqual(client.ask("GET /__stand_in/unique/own HTTP/1.1", "Host: 127.0.0.1").status, 200)
        hosts = {head.split(b"Host: ")[1].split(b"\r\n")[0] for head in self.plain.heads}
        self.assertEqual(hosts, {HOST.encode(), OTHER.encode()})

    def test_another_authority_in_a_tunnel_is_refused(self):
        recorder = self.record()
        for name, come_in in (
            ("CONNECT, TLS", lambda: self.tunnel_with_tls(recorder, f"{HOST}:443", HOST)),
            ("CONNECT, plain", lambda: self.connect(recorder, f"{HOST}:80")),
            ("TLS straight away", lambda: self.tls(recorder, HOST)),
        ):
            for line, host in (
                ("GET / HTTP/1.1", OTHER), ("GET / HTTP/1.1", "127.0.0.1"), (f"GET https://{OTHER}/ HTTP/1.1", HOST),
            ):  # fmt: skip
                with self.subTest(name, line=line, host=host):
                    answer = come_in().ask(line, f"Host: {host}")
                    self.assertEqual(answer.status, 421)
                    self.assertEqual(answer.header("Content-Type"), "application/problem+json")
        self.assertEqual(self.stand.transcripts(), [])

    def test_a_known_request_is_refused_where_it_may_not_come(self):
        recorder = self.record()
        ask = ("GET /__stand_in/unique/known HTTP/1.1", f"Host: {HOST}")
        recorded = self.tunnel_with_tls(recorder, f"{HOST}:443", HOST).ask(*ask)
        self.stop_clean(recorder)
        replayer = self.tapedeck("replay", self.cassette, *self.options)
        for _ in range(6):
            answer = self.tunnel_with_tls(replayer, f"{HOST}:443", HOST).ask(*ask)
            self.assertEqual((answer.status, answer.body), (200, recorded.body))
            for come_in in (
                lambda: self.tunnel_with_tls(replayer, f"{OTHER}:443", OTHER),
                lambda: self.tunnel_with_tls(replayer, f"{OTHER}:443", HOST),
                lambda: self.connect(replayer, f"{OTHER}:443"),
                lambda: self.tls(replayer, OTHER),
            ):
                self.assertEqual(come_in().ask(*ask).status, 421)
        # One connection, which becomes another.
        client = self.plain_client(replayer)
        for _ in range(6):
            self.assertEqual(client.ask(*ask).status, 200)
        self.assertEqual(client.ask(f"CONNECT {OTHER}:443 HTTP/1.1", f"Host: {OTHER}:443").status, 200)
        self.assertEqual(client.ask(*ask).status, 421)

    def test_tls_for_a_name_that_nobody_named_is_refused(self):
        recorder = self.record()
        with self.assertRaises(ssl.SSLError):
            self.tls(recorder, "unnamed.example")

    def test_curl_comes_in_by_each_way(self):
        recorder = self.record()
        path, port = "/__stand_in/unique/curl", recorder.port
        through = ["--proxy", recorder.proxy_url]
        for name, arguments in {
            "CONNECT, TLS": [*through, f"https://{HOST}{path}"],
            "CONNECT, plain": [*through, "--proxytunnel", f"http://{HOST}{path}"],
            "CONNECT to an address": [*through, "--connect-to", f"{HOST}:443:192.0.2.7:443", f"https://{HOST}{path}"],
            "absolute-form": [*through, f"http://{HOST}{path}"],
            "TLS straight away": ["--resolve", f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}{path}"],
            "origin-form": [recorder.base_url + path],
            "origin-form in TLS": [recorder.ready["base_url_tls"] + path],
        }.items():
            command = ["curl", "-qsS", "--max-time", "20", "--cacert", recorder.ca_file]
            command += ["--write-out", "%{http_code} %{num_connects} ", *2 * ["--output", "/dev/null"]]
            command += [*arguments, arguments[-1]]
            done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
            self.assertEqual(done.stdout, "200 1 200 0 ", (name, done.stderr))


class LocationTest(TapedeckCase):
    """A redirect of the upstream to itself keeps the client of a reverse proxy with us."""

    def test_location_is_mapped_back_in_both_schemes(self):
        upstream = EchoServer(fields=(("Location", "http://127.0.0.1:PORT/next?a=b"),))
        self.addCleanup(upstream.close)
        upstream._fields = upstream._fields.replace(b"PORT", b"%d" % upstream.port)
        cassette = self.folder / "location.cassette"
        options = ("--profile", "none", "--upstream", f"http://127.0.0.1:{upstream.port}")
        # Of equal requests the later ones are known by their bytes, which are the same in both schemes.
        for mode, rounds in (("record", 1), ("replay", 6)):
            tapedeck = self.tapedeck(mode, cassette, *options)
            for scheme in rounds * ("http", "https"):
                with self.subTest(mode, scheme=scheme), RawClient(tapedeck.port) as client:
                    if scheme == "https":
                        client.start_tls(tapedeck.ca_file, None)
                    answer = client.ask("GET /first HTTP/1.1", f"Host: 127.0.0.1:{tapedeck.port}")
                    self.assertEqual(answer.header("Location"), f"{scheme}://127.0.0.1:{tapedeck.port}/next?a=b")
                    followed = client.ask("GET /next?a=b HTTP/1.1", f"Host: 127.0.0.1:{tapedeck.port}")
                    self.assertEqual(followed.body, b"GET /next?a=b HTTP/1.1")
            # Through the proxy the upstream's own address is right.
            with RawClient(tapedeck.port) as client:
                url = f"http://127.0.0.1:{upstream.port}"
                answer = client.ask(f"GET {url}/first HTTP/1.1", f"Host: 127.0.0.1:{upstream.port}")
                self.assertEqual(answer.header("Location"), f"{url}/next?a=b")
            self.stop_clean(tapedeck)
