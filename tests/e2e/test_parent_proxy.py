"""Upstreams are reached through the proxy that our own environment names; its credentials stay with us."""

import base64
import json
import socket
import threading
from contextlib import suppress

from support.case import TapedeckCase
from support.processes import run_tapedeck
from support.raw_http import request_field
from support.raw_server import EchoServer, RawClient, RawServer, read_all, read_body, read_head

HOST = "api.roaring.io"
NEAR = "backend.roaring.io"
UNNAMED = "unnamed.example"
USER, PASSWORD = "par@ent", "s3cret:of/parent%"
USER_INFO = "par%40ent:s3cret%3Aof%2Fparent%25"
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class ParentProxy(RawServer):
    """Tunnels everything to one port, forwards plain requests to another, and keeps what it was asked."""

    def __init__(self, tunnel_port: int = 0, plain_port: int = 0, authorization: str = "", answer: bytes = b"",
                 waits: bool = False):  # fmt: skip
        self.heads = []
        self._waits = waits
        self._tunnel_port, self._plain_port = tunnel_port, plain_port
        self._authorization, self._fixed = authorization, answer
        super().__init__(self._serve_one)

    def _serve_one(self, sock) -> None:
        while head := read_head(sock):
            self.heads.append(head)
            if self._fixed:
                sock.sendall(self._fixed)
                return
            if self._authorization and request_field(head, "Proxy-Authorization") != self._authorization:
                sock.sendall(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')
                continue
            if head.startswith(b"CONNECT "):
                return self._tunnel(sock)
            with socket.create_connection(("127.0.0.1", self._plain_port)) as upstream:
                upstream.sendall(head)
                answer = read_head(upstream)
                sock.sendall(answer + read_body(upstream, answer))

    def _tunnel(self, sock) -> None:
        with socket.create_connection(("127.0.0.1", self._tunnel_port)) as upstream:
            first = upstream.recv(65536) if self._waits else b""
            sock.sendall(b"HTTP/1.1 200 Tunnel open\r\nX-Parent: yes\r\n\r\n" + first)
            downward = threading.Thread(target=self._pump, args=(upstream, sock), daemon=True)
            downward.start()
            self._pump(sock, upstream)
            downward.join()

    def _pump(self, source, sink) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def lines(self) -> list:
        return [head.partition(b"\r\n")[0].decode() for head in self.heads]


class ParentProxyTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.cassette = self.folder / "parent.cassette"

    def closing(self, server):
        self.addCleanup(server.close)
        return server

    def record(self, env: dict, *options, hosts=(HOST, NEAR)):
        named = [option for host in hosts for option in ("--host", host)]
        return self.tapedeck("record", self.cassette, *named, *options, env=env)

    def through_tunnel(self, tapedeck, host: str, path: str):
        with RawClient(tapedeck.port) as client:
            self.assertEqual(client.ask(f"CONNECT {host}:443 HTTP/1.1", f"Host: {host}:443").status, 200)
            client.start_tls(tapedeck.ca_file, host)
            return client.ask(f"GET {path} HTTP/1.1", f"Host: {host}")

    def plainly(self, tapedeck, host: str, path: str = "/plain", *more: str):
        with RawClient(tapedeck.port) as client:
            return client.ask(f"GET http://{host}{path} HTTP/1.1", f"Host: {host}", *more)

    def assert_credentials_stay(self, said: str, *files):
        for text in (said.encode(), *(file.read_bytes() for file in files)):
            for secret in (PASSWORD, USER_INFO, USER_INFO.split(":")[1], AUTHORIZATION.split()[1]):
                self.assertNotIn(secret.encode(), text)

    def test_https_by_connect_and_plain_by_url(self):
        stand_in = self.stand_in()
        echo = self.closing(EchoServer())
        parent = self.closing(ParentProxy(stand_in.https_port, echo.port, AUTHORIZATION))
        url = f"http://{USER_INFO}@127.0.0.1:{parent.port}"
        recorder = self.record({"https_proxy": url, "HTTP_PROXY": url}, "--upstream-ca", stand_in.ca_file, "-v")
        path = "/__stand_in/unique/through-parent"
        secure = self.through_tunnel(recorder, HOST, path)
        self.assertEqual(secure.status, 200)
        self.assertNotIn("X-Parent", [name for name, _ in secure.headers])
        plain = self.plainly(recorder, HOST, "/plain?a=b", "Proxy-Authorization: Basic YWxpY2U6eA==")
        self.assertEqual(plain.body, f"GET http://{HOST}/plain?a=b HTTP/1.1".encode())
        self.assertEqual(parent.lines(), [f"CONNECT {HOST}:443 HTTP/1.1", f"GET http://{HOST}/plain?a=b HTTP/1.1"])
        for head in parent.heads:
            self.assertEqual(request_field(head, "Proxy-Authorization"), AUTHORIZATION)
            self.assertRegex(request_field(head, "Via"), r"^1\.1 tapedeck-[0-9a-f]{8}$")
        upstream_head = stand_in.transcripts()[0][0].lower()
        self.assertNotIn(b"proxy-", upstream_head)
        ready = recorder.ready_file.read_bytes()
        said = self.stop_clean(recorder)
        self.assert_credentials_stay(said + ready.decode(), self.cassette)
        stand_in.stop()
        replayer = self.tapedeck("replay", self.cassette, "--host", HOST, env={"https_proxy": url, "http_proxy": url})
        self.assertEqual(self.through_tunnel(replayer, HOST, path).body, secure.body)
        self.assertEqual(self.plainly(replayer, HOST, "/plain?a=b").body, plain.body)
        self.assertEqual(parent.connections, 2, "replay asked the parent")

    def test_tunnels_of_unnamed_hosts_and_servers_that_speak_first(self):
        def speak_first(sock):
            sock.sendall(b"220 ready\r\n")
            sock.sendall(read_all(sock))

        server = self.closing(RawServer(speak_first))
        # What the server says first may come in one packet with the parent's own answer.
        for waits in (False, True):
            parent = self.closing(ParentProxy(server.port, waits=waits))
            recorder = self.record({"all_proxy": f"http://127.0.0.1:{parent.port}"})
            for authority in (f"{UNNAMED}:25", "192.0.2.25:25"):
                with self.subTest(authority, waits=waits), RawClient(recorder.port) as client:
                    self.assertEqual(client.ask(f"CONNECT {authority} HTTP/1.1", f"Host: {authority}").status, 200)
                    self.assertEqual(client.sock.recv(11, socket.MSG_WAITALL), b"220 ready\r\n")
                    client.sock.sendall(b"QUIT")
                    client.sock.shutdown(socket.SHUT_WR)
                    self.assertEqual(read_all(client.sock), b"QUIT")
            self.assertEqual(parent.lines(), [f"CONNECT {UNNAMED}:25 HTTP/1.1", "CONNECT 192.0.2.25:25 HTTP/1.1"])
            self.stop_clean(recorder)

    def test_what_no_proxy_names_is_dialled(self):
        echo = self.closing(EchoServer())
        parent = self.closing(ParentProxy(plain_port=echo.port))
        env = {"http_proxy": f"http://127.0.0.1:{parent.port}", "no_proxy": f"x.example, .{NEAR.partition('.')[2]}:81"}
        recorder = self.record(env, "--connect-to", f"{NEAR}:81:127.0.0.2:{echo.port}")
        self.assertEqual(self.plainly(recorder, HOST).status, 200)
        self.assertEqual(parent.connections, 1)
        # Nobody listens there, and the parent is not asked.
        self.assertEqual(self.plainly(recorder, f"{NEAR}:81").status, 502)
        self.assertEqual(parent.connections, 1)

    def test_loopback_that_was_named_is_dialled(self):
        echo = self.closing(EchoServer())
        parent = self.closing(ParentProxy(plain_port=echo.port))
        env = {"all_proxy": f"http://127.0.0.1:{parent.port}"}
        recorder = self.record(env, "--connect-to", f"{HOST}:80:127.0.0.1:{echo.port}")
        self.assertEqual(self.plainly(recorder, HOST).body, b"GET /plain HTTP/1.1")
        self.assertEqual(parent.connections, 0)

    def test_private_addresses_are_no_more_asked_of_a_parent_than_dialled(self):
        parent = self.closing(ParentProxy(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        recorder = self.record({"all_proxy": f"http://127.0.0.1:{parent.port}"})
        for place in ("169.254.169.254", "10.0.0.1", "127.0.0.1", "localhost", "[::1]"):
            with self.subTest(place):
                answer = self.plainly(recorder, place)
                self.assertEqual(answer.status, 502)
                self.assertIn(b"private or loopback", answer.body)
        self.assertEqual(parent.connections, 0)

    def test_a_parent_that_fails_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            free_port = taken.getsockname()[1]
        answers = {
            "refused": (None, 502, "refused the connection"),
            "407": (b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 502, "answered 407"),
            "403": (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 502, "answered 403"),
            "502": (b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", 502, "answered 502"),
            "504": (b"HTTP/1.1 504 No\r\nContent-Length: 0\r\n\r\n", 504, "answered 504"),
            "garbage": (b"220 smtp.example ready\r\n\r\n", 502, "sent no answer of HTTP/1.1"),
            "cut": (b"HTTP/1.1 200", 502, "closed the connection before it answered"),
        }
        for name, (answer, status, words) in answers.items():
            parent = self.closing(ParentProxy(answer=answer or b"x"))
            port = parent.port if answer else free_port
            recorder = self.record({"https_proxy": f"http://{USER_INFO}@127.0.0.1:{port}"})
            with self.subTest(name):
                # In a tunnel of our own, and by a tunnel that is joined.
                seen = [self.through_tunnel(recorder, HOST, f"/{name}")]
                with RawClient(recorder.port) as client:
                    seen.append(client.ask(f"CONNECT {UNNAMED}:443 HTTP/1.1", f"Host: {UNNAMED}"))
                for each in seen:
                    self.assertEqual(each.status, status)
                    detail = json.loads(each.body)["detail"]
                    self.assertIn(f"the parent proxy 127.0.0.1:{port}", detail)
                    self.assertIn(words, detail)
                    self.assert_credentials_stay(each.body.decode())
            self.assert_credentials_stay(self.stop_clean(recorder), self.cassette)

    def test_a_407_to_a_plain_request_is_no_answer_of_the_upstream(self):
        parent = self.closing(ParentProxy(authorization=AUTHORIZATION))
        recorder = self.record({"http_proxy": f"http://127.0.0.1:{parent.port}"})
        answer = self.plainly(recorder, HOST)
        self.assertEqual(answer.status, 502)
        self.assertIn("answered 407; give it credentials", json.loads(answer.body)["detail"])
        self.assertEqual(answer.header("Proxy-Authenticate"), "")

    def test_a_parent_that_is_ourselves_is_recognised(self):
        echo = self.closing(EchoServer())
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            with self.subTest(host):
                recorder = self.record(
                    {"http_proxy": f"http://{USER_INFO}@{host}:{port}"}, "--listen", f"127.0.0.1:{port}",
                    "--connect-to", f"{HOST}:80:127.0.0.1:{echo.port}",
                )  # fmt: skip
                self.assertEqual(self.plainly(recorder, HOST).status, 200)
                said = self.stop_clean(recorder)
                self.assertIn("is this proxy itself", said)
                self.assert_credentials_stay(said)

    def test_a_value_that_cannot_be_used_is_warned_of(self):
        recorder = self.record({"https_proxy": f"socks5://{USER_INFO}@127.0.0.1:1"})
        said = self.stop_clean(recorder)
        self.assertIn("https_proxy is no http:// proxy", said)
        self.assert_credentials_stay(said)

    def test_a_wrapped_command_is_not_told_of_the_parent(self):
        parent = self.closing(ParentProxy())
        url = f"http://{USER_INFO}@127.0.0.1:{parent.port}"
        env = {name: url for name in ("http_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "https_proxy")}
        done = run_tapedeck(self.folder, "record", "--cassette", self.cassette, "--", "env", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("https_proxy=http://127.0.0.1:", done.stdout)
        self.assertNotIn(str(parent.port), done.stdout)
        self.assert_credentials_stay(done.stdout + done.stderr)


class VerifiedThroughParentTest(TapedeckCase):
    def test_the_upstreams_certificate_is_verified_through_a_parent(self):
        stand_in = self.stand_in()
        parent = ParentProxy(stand_in.https_port)
        self.addCleanup(parent.close)
        env = {"https_proxy": f"http://127.0.0.1:{parent.port}"}
        recorder = self.tapedeck("record", self.folder / "bad.cassette", env=env)  # without --upstream-ca
        with RawClient(recorder.port) as client:
            client.ask(f"CONNECT {HOST}:443 HTTP/1.1", f"Host: {HOST}:443")
            client.start_tls(recorder.ca_file, HOST)
            answer = client.ask("GET / HTTP/1.1", f"Host: {HOST}")
        self.assertEqual(answer.status, 502)
        self.assertIn(b"certificate", answer.body)
        self.assertEqual(stand_in.transcripts(), [])
