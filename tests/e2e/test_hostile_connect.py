"""Clients that do not wait for the answer to CONNECT before they begin with TLS, or with something like it."""

import socket
import ssl

from support.case import TapedeckCase
from support.hostile import SOCKET_TIMEOUT_S, SayingUpstream, read_to_end

NAME = "secure.test"
CONNECT = f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n\r\n".encode()
ACCEPTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class HostileConnectTest(TapedeckCase):
    def setUp(self):
        super().setUp()
        upstream = SayingUpstream({})
        self.addCleanup(upstream.close)
        cassette = self.folder / "connect.cassette"
        self.recorder = self.tapedeck("record", cassette, *upstream.options(), "--host", NAME)

    def connection(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.recorder.port), timeout=SOCKET_TIMEOUT_S)
        self.addCleanup(sock.close)
        return sock

    def test_a_client_hello_in_one_piece_with_the_connect(self):
        context = ssl.create_default_context(cafile=self.recorder.ca_file)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        engine = context.wrap_bio(incoming, outgoing, server_hostname=NAME)
        with self.assertRaises(ssl.SSLWantReadError):
            engine.do_handshake()
        sock = self.connection()
        sock.sendall(CONNECT + outgoing.read())
        answer = sock.recv(len(ACCEPTED), socket.MSG_WAITALL)
        self.assertEqual(answer, ACCEPTED)
        while not self.handshaken(engine):
            sock.sendall(outgoing.read())
            piece = sock.recv(65536)
            self.assertNotEqual(piece, b"", "the connection ended within the handshake")
            incoming.write(piece)
        self.stop_clean(self.recorder)

    @staticmethod
    def handshaken(engine) -> bool:
        try:
            engine.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def test_bad_handshakes_in_one_piece_with_the_connect(self):
        record = b"\x16\x03\x01\x02\x00"
        for name, sent in (
            ("cut", record + b"\x01"),
            ("noise", record + b"\xff" * 512),
            ("an alert", b"\x15\x03\x01\x00\x02\x02\x46"),
            ("a record that is too long", b"\x16\x03\x01\xff\xff" + b"\x01" * 1000),
            ("a bad request", b"\x16 / HTTP/1.1\r\n\r\n"),
        ):
            with self.subTest(name):
                sock = self.connection()
                sock.sendall(CONNECT + sent)
                sock.shutdown(socket.SHUT_WR)
                self.assertTrue(read_to_end(sock).startswith(ACCEPTED))
                self.assertTrue(self.recorder.alive())
        self.stop_clean(self.recorder)
