"""Whom a recording proxy will not dial, and how it knows itself."""

import subprocess

from support.case import TapedeckCase
from support.raw_http import request_field
from support.raw_server import EchoServer, RawClient, RawServer, read_head

HOST = "api.roaring.io"


class DialPolicyTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.echo = EchoServer()
        self.addCleanup(self.echo.close)
        self.cassette = self.folder / "policy.cassette"

    def record(self, *options, **more):
        return self.tapedeck("record", self.cassette, *options, **more)

    def ask(self, tapedeck, line: str, *fields: str):
        with RawClient(tapedeck.port) as client:
            return client.ask(line, *fields)

    def test_a_name_that_was_rebound_to_us_is_refused(self):
        recorder = self.record("--upstream", f"http://127.0.0.1:{self.echo.port}")
        command = ["curl", "-qsS", "--max-time", "20", "-H", "Host: evil.example", "-w", "\n%{http_code}"]
        done = subprocess.run([*command, recorder.base_url + "/"], capture_output=True, text=True)
        self.assertEqual(done.stdout.splitlines()[-1], "421", done)
        self.assertEqual(self.echo.connections, 0)

    def test_this_machine_is_dialled_only_when_it_was_named(self):
        port = self.echo.port
        recorder = self.record()
        for place in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::ffff:127.0.0.1]:{port}", f"127.0.0.2:{port}",
                      f"0.0.0.0:{port}", f"[64:ff9b::7f00:1]:{port}", "10.0.0.1:9", "169.254.169.254:80"):  # fmt: skip
            with self.subTest(place):
                answer = self.ask(recorder, f"GET http://{place}/ HTTP/1.1", f"Host: {place}")
                self.assertEqual(answer.status, 502)
                self.assertIn(b"private or loopback", answer.body)
        tunnel = self.ask(recorder, f"CONNECT localhost:{port} HTTP/1.1", f"Host: localhost:{port}")
        self.assertEqual(tunnel.status, 502)
        self.assertIn(b"private or loopback", tunnel.body)
        self.assertEqual(self.echo.connections, 0)
        self.stop_clean(recorder)
        named = self.record("--host", f"127.0.0.1:{port}")
        answer = self.ask(named, f"GET http://127.0.0.1:{port}/ HTTP/1.1", f"Host: 127.0.0.1:{port}")
        self.assertEqual(answer.status, 200)

    def test_a_wildcard_names_no_place(self):
        recorder = self.record("--host", "*")
        port = self.echo.port
        answer = self.ask(recorder, f"GET http://127.0.0.1:{port}/ HTTP/1.1", f"Host: 127.0.0.1:{port}")
        self.assertEqual(answer.status, 502)
        self.assertEqual(self.echo.connections, 0)

    def test_our_own_ports_are_never_dialled(self):
        recorder = self.record(
            "--listen", "0.0.0.0:0=all", "--allow-remote", "--host", "127.0.0.1", "--host", "127.9.9.9",
            "--host", "localhost", "--host", "0.0.0.0", "--host", "[::ffff:127.0.0.1]",
        )  # fmt: skip
        everywhere = int(recorder.ready["sessions"]["all"].rpartition(":")[2])
        admin = int(recorder.ready["admin_url"].rpartition(":")[2])
        places = [f"{host}:{recorder.port}" for host in ("127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]")]
        places += [f"127.0.0.1:{admin}", f"127.9.9.9:{everywhere}", f"127.0.0.1:{everywhere}"]
        for place in places:
            with self.subTest(place):
                answer = self.ask(recorder, f"GET http://{place}/ HTTP/1.1", f"Host: {place}")
                self.assertEqual(answer.status, 502, answer.body)
                self.assertIn(b"this proxy itself", answer.body)

    def test_a_request_that_came_through_us_before_is_refused(self):
        recorder = self.record("--connect-to", f"{HOST}:80:127.0.0.1:{self.echo.port}", "--host", HOST)
        line = f"GET http://{HOST}/ HTTP/1.1"
        self.assertEqual(self.ask(recorder, line, f"Host: {HOST}", "Via: 1.0 fred").status, 200)
        head = self.echo.heads[0].decode()
        vias = [row.partition(": ")[2] for row in head.split("\r\n") if row.startswith("Via: ")]
        self.assertEqual(vias[0], "1.0 fred")
        self.assertRegex(vias[1], r"^1\.1 tapedeck-[0-9a-f]{8}$")
        for way in (line, "GET / HTTP/1.1", f"CONNECT {HOST}:80 HTTP/1.1"):
            answer = self.ask(recorder, way, f"Host: {HOST}", f"Via: 1.0 fred, {vias[1]}, 1.1 other")
            self.assertEqual(answer.status, 508, way)
            self.assertIn(b"through this proxy before", answer.body)
        self.assertEqual(len(self.echo.heads), 1)
        self.stop_clean(recorder)
        self.assertNotIn(vias[1].encode(), self.cassette.read_bytes())
        # Neither the client's Via nor ours counts for matching.
        replayer = self.tapedeck("replay", self.cassette, "--host", HOST)
        self.assertEqual(self.ask(replayer, line, f"Host: {HOST}").status, 200)

    def test_a_loop_through_another_proxy_ends(self):
        recorder = None

        def send_back(sock):
            """A proxy that is told to forward everything to us."""
            head = read_head(sock)
            with RawClient(recorder.port) as client:
                line, *fields = head.decode().rstrip("\r\n").split("\r\n")
                answer = client.ask(line.replace(" /", f" http://{HOST}/", 1), *fields)
                body = answer.body
                sock.sendall(b"%s\r\nContent-Length: %d\r\n\r\n%s" % (answer.status_line.encode(), len(body), body))

        other = RawServer(send_back)
        self.addCleanup(other.close)
        recorder = self.record("--connect-to", f"{HOST}:80:127.0.0.1:{other.port}", "--host", HOST)
        answer = self.ask(recorder, f"GET http://{HOST}/ HTTP/1.1", f"Host: {HOST}")
        self.assertEqual(answer.status, 508)
        self.assertEqual(other.connections, 1)
        self.assertIsNone(request_field(answer.body, "Via"))

    def test_answers_are_passed_on_without_a_via_of_ours(self):
        upstream = EchoServer(fields=(("Via", "1.1 their-cache"),))
        self.addCleanup(upstream.close)
        recorder = self.record("--connect-to", f"{HOST}:80:127.0.0.1:{upstream.port}", "--host", HOST)
        answer = self.ask(recorder, f"GET http://{HOST}/ HTTP/1.1", f"Host: {HOST}")
        self.assertEqual([value for name, value in answer.headers if name == "Via"], ["1.1 their-cache"])
