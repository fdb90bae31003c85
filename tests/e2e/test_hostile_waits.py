"""Peers that are slow, stop, or come in crowds: each wait ends by itself, and the number of connections is bounded."""

import re
import select
import socket
import subprocess
import time
from contextlib import suppress

from support.case import TapedeckCase
from support.hostile import HOST, SayingUpstream, Upstream, read_responses, read_to_end
from support.processes import wait_until

WAIT_S = 0.5  # of the options; a wait may last a quarter of a second longer
DEADLINE_S = 15  # of the test, for sanitized builds on a busy machine
PACE_S = 0.02

HEAD = f"Host: {HOST}\r\n".encode()
GET = b"GET /ok HTTP/1.1\r\n" + HEAD + b"\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class DrippingUpstream(Upstream):
    """Answers one byte at a time, for ever within the head."""

    def serve(self, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
        while not select.select([connection], [], [], PACE_S)[0]:
            connection.sendall(b"b")  # Fails, and ends this, when the other side has gone.


class UpdatingClient:
    """Speaks TLS 1.3 by OpenSSL's own client, which makes a KeyUpdate of each line that begins with a letter `k`."""

    def __init__(self, port: int, said_file):
        self._said_file = said_file
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", HOST, "-tls1_3", "-msg"]
        with said_file.open("wb") as said:
            streams = {"stdin": subprocess.PIPE, "stdout": said, "stderr": subprocess.STDOUT}
            self._child = subprocess.Popen(command, bufsize=0, **streams)

    def await_handshake(self) -> None:
        wait_until(lambda: "Verify return code" in self.said(), "the handshake", DEADLINE_S)

    def said(self) -> str:
        return self._said_file.read_text(errors="replace")

    def type(self, text: bytes) -> None:
        with suppress(BrokenPipeError):
            self._child.stdin.write(text)

    def has_sent_data(self) -> bool:
        return re.search(r">>> .*, InnerContent \[length 0001\]\n +17\n", self.said()) is not None

    def key_updates(self) -> int:
        return len(re.findall(r">>> .*, KeyUpdate", self.said()))

    def alive(self) -> bool:
        return self._child.poll() is None

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._child.stdin.close()


class WaitsTest(TapedeckCase):
    def recording(self, upstream: Upstream, *options):
        self.addCleanup(upstream.close)
        waits = ("--idle-timeout", WAIT_S, "--response-timeout", WAIT_S, "--connect-timeout", WAIT_S)
        return self.tapedeck("record", self.folder / "waits.cassette", *upstream.options(), *(options or waits))

    def connection(self, tapedeck) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", tapedeck.port), timeout=DEADLINE_S)
        self.addCleanup(sock.close)
        return sock

    def exchange(self, sock: socket.socket) -> bytes:
        """One whole exchange on a connection that stays open; less than a whole answer if it does not."""
        answer = b""
        try:
            sock.sendall(GET)
            while not answer.endswith(b"ok"):
                piece = sock.recv(65536)
                if not piece:
                    break
                answer += piece
        except ConnectionError:
            pass
        return answer

    def statuses(self, answer: bytes) -> list:
        return [response.status for response in read_responses(answer, ["POST"]) if response.whole]

    def test_a_head_that_comes_byte_by_byte(self):
        recorder = self.recording(SayingUpstream({"/ok": (OK, False)}))
        sock = self.connection(recorder)
        end = time.monotonic() + DEADLINE_S
        sock.sendall(b"GET /" + b"x")
        while not select.select([sock], [], [], PACE_S)[0]:
            self.assertLess(time.monotonic(), end, "bytes that come slowly keep the connection for ever")
            sock.sendall(b"x")
        self.assertEqual(self.statuses(read_to_end(sock)), [408])
        self.stop_clean(recorder)

    def test_key_updates_are_no_progress_of_a_head(self):
        # Long enough for another program's steps on a busy machine; it bounds the wait for a head, too.
        recorder = self.recording(SayingUpstream({"/ok": (OK, False)}), "--idle-timeout", 4)
        for name, line in (("that want no answer", b"k\n"), ("that want one each", b"K\n")):
            with self.subTest(name):
                client = UpdatingClient(recorder.port, self.folder / f"s_client-{line[0]}")
                self.addCleanup(client.close)
                client.await_handshake()
                client.type(b"GET /o")
                wait_until(client.has_sent_data, "the beginning of the head", DEADLINE_S)
                end = time.monotonic() + DEADLINE_S
                while client.alive():
                    self.assertLess(time.monotonic(), end, "key updates keep the connection for ever")
                    client.type(line)
                    time.sleep(PACE_S)
                self.assertRegex(client.said(), r"(?m)^HTTP/1\.1 408 ")
                self.assertGreater(client.key_updates(), 2)
        self.stop_clean(recorder)

    def test_clients_that_stop(self):
        recorder = self.recording(SayingUpstream({"/ok": (OK, False), "/x": (b"", False)}))
        connect = f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode() + HEAD + b"\r\n"
        post = b"POST /x HTTP/1.1\r\n" + HEAD
        rows = (
            ("before the first byte", b"", []),
            ("in the request line", b"GET /o", [408]),
            ("in the fields", GET[:-2], [408]),
            ("behind an exchange", GET, [200]),
            ("in the head behind an exchange", GET + b"GET", [200, 408]),
            ("before a body", post + b"Content-Length: 100\r\n\r\n", [408]),
            ("in a body", post + b"Content-Length: 100\r\n\r\nhalf", [408]),
            ("in a chunk-size line", post + b"Transfer-Encoding: chunked\r\n\r\n5;a", [408]),
            ("in the trailers", post + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum:", [408]),
            ("before a body it was asked for", post + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", [408]),
            ("in a ClientHello", b"\x16\x03\x01\x02\x00\x01", []),
            ("behind CONNECT", connect, None),
            ("in a ClientHello behind CONNECT", connect + b"\x16\x03\x01\x02\x00\x01", None),
        )
        for name, sent, statuses in rows:
            with self.subTest(name):
                sock = self.connection(recorder)
                sock.sendall(sent)
                answer = read_to_end(sock)
                if statuses is None:
                    self.assertEqual(answer.count(b"HTTP/1.1 200 "), 1)
                    continue
                finals = [response for response in read_responses(answer, ["GET"]) if response.status >= 200]
                self.assertEqual([(response.status, response.whole) for response in finals],
                                 [(status, True) for status in statuses])  # fmt: skip
        self.stop_clean(recorder)

    def test_upstreams_that_stop(self):
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"
        answers = {"/silent": (b"", False), "/head": (OK[:20], False), "/body": (cut, False), "/ok": (OK, False)}
        recorder = self.recording(SayingUpstream(answers))
        for target, line in (("/silent", "504"), ("/head", "504"), ("/body", "200 'hel' cut"), ("/ok", "200 'ok'")):
            with self.subTest(target):
                sock = self.connection(recorder)
                sock.sendall(f"GET {target} HTTP/1.1\r\nConnection: close\r\n".encode() + HEAD + b"\r\n")
                read = read_responses(read_to_end(sock), ["GET"])
                self.assertEqual([response.line()[: len(line)] for response in read], [line])
        self.stop_clean(recorder)

    def test_an_upstream_whose_head_comes_byte_by_byte(self):
        recorder = self.recording(DrippingUpstream())
        sock = self.connection(recorder)
        sock.sendall(GET)
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(self.statuses(read_to_end(sock)), [504])
        self.stop_clean(recorder)

    def test_a_crowd(self):
        recorder = self.recording(SayingUpstream({"/ok": (OK, False)}), "--connections-max", "3")
        served = [self.connection(recorder) for _ in range(3)]
        for sock in served:
            self.assertTrue(self.exchange(sock).endswith(b"ok"))
        for _ in range(3):
            self.assertEqual(self.exchange(self.connection(recorder)), b"", "one more than there may be")
        self.assertTrue(self.exchange(served[0]).endswith(b"ok"), "those that were there are served on")
        served[1].close()
        wait_until(lambda: self.exchange(self.connection(recorder)).endswith(b"ok"), "the place of one that left")
        self.assertIn("a connection was refused: 3 are open", self.stop_clean(recorder))
