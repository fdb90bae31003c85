#!/usr/bin/python3
"""A stand-in for api.roaring.io and backend.roaring.io on 127.0.0.1, over TLS and in plain.

It has an HTTP stack of its own, written for tests: every raw byte is under control and can be kept. What the real API
is known to answer is in roaring_routes.py, what networks do to answers is in odd_answers.py.
"""

import argparse
import json
import os
import signal
import socket
import ssl
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import odd_answers
from certificates import make_certificates
from connection import Connection
from messages import Answer, Request, empty_answer, json_answer
from odd_answers import OddAnswers
from roaring_routes import RoaringRoutes
from tokens import TokenOffice

HANDSHAKE_TIMEOUT_S = 20


class StandIn:
    def __init__(self, arguments: argparse.Namespace):
        self._log_dir = arguments.log_dir
        if self._log_dir:
            self._log_dir.mkdir(parents=True, exist_ok=True)
        secrets_file = self._log_dir / "issued_secrets.txt" if self._log_dir else None
        self._tokens = TokenOffice(arguments.credentials, arguments.token_ttl_s, arguments.same_token, secrets_file)
        self._roaring = RoaringRoutes(self._tokens)
        self._odd = OddAnswers()
        self._latency_s = arguments.latency_ms / 1000
        self._lock = threading.Lock()
        self._counts = Counter()
        self._transcripts = 0

    def listen(self, context: ssl.SSLContext | None) -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        threading.Thread(target=self._accept, args=(listener, context), daemon=True).start()
        return listener.getsockname()[1]

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self._serve, args=(sock, context), daemon=True).start()

    def _serve(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            sock.settimeout(HANDSHAKE_TIMEOUT_S)
            try:
                sock = context.wrap_socket(sock, server_side=True)
            except (OSError, ValueError):
                sock.close()
                return
        Connection(sock, self._answer, self._keep).serve()

    def _answer(self, request: Request) -> Answer:
        path = request.path
        if odd_answers.is_control(path):
            return self._control(path)
        with self._lock:
            self._counts[f"{request.method} {path}"] += 1
        if path == "*":
            return empty_answer(204, [("Allow", "GET, HEAD, OPTIONS, POST, PUT")])
        if path.startswith(odd_answers.PREFIX):
            return self._odd.answer(request)
        try:
            answer = self._roaring.answer(request)
        except ValueError as error:
            answer = json_answer({"error": "BadRequest", "message": str(error)}, 400)
        answer.delay_s = self._latency_s
        return answer

    def _control(self, path: str) -> Answer:
        if path.endswith("expire-tokens"):
            self._tokens.expire_all()
        return odd_answers.counts_answer(self.counts())

    def counts(self) -> dict:
        with self._lock:
            return dict(sorted(self._counts.items()))

    def _keep(self, received: bytes, sent: bytes) -> None:
        if self._log_dir is None:
            return
        with self._lock:
            self._transcripts += 1
            number = self._transcripts
        (self._log_dir / f"{number:05d}.request").write_bytes(received)
        # The response file comes last and whole: whoever sees it may read both.
        partial = self._log_dir / f"{number:05d}.response.partial"
        partial.write_bytes(sent)
        partial.rename(self._log_dir / f"{number:05d}.response")


def main() -> None:
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="roaring-stand-in-") as folder:
        certificates = make_certificates(Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.leaf_file, certificates.leaf_key_file)
        context.set_alpn_protocols(["http/1.1"])
        stand_in = StandIn(arguments)
        ready = {
            "https_port": stand_in.listen(context),
            "http_port": stand_in.listen(None),
            "ca_file": str(certificates.ca_file),
            "pid": os.getpid(),
        }
        _announce(ready, arguments.ready_file)
        stop.wait()
        if arguments.log_dir:
            (arguments.log_dir / "counts.json").write_text(json.dumps(stand_in.counts(), indent=2) + "\n")


def _announce(ready: dict, ready_file: Path | None) -> None:
    text = json.dumps(ready) + "\n"
    if ready_file is None:
        print(text, end="", flush=True)
        return
    partial = ready_file.with_name(ready_file.name + ".partial")
    partial.write_text(text)
    partial.rename(ready_file)


def _key_pair(text: str) -> tuple:
    identity, colon, secret = text.partition(":")
    if not (identity and colon and secret):
        raise argparse.ArgumentTypeError("write it as ID:SECRET")
    return identity, secret


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A stand-in for roaring.io on 127.0.0.1.")
    parser.add_argument("--ready-file", type=Path, help="write ports, CA file and pid here once everything listens")
    parser.add_argument("--credentials", type=_key_pair, action="append", metavar="ID:SECRET", help="may be repeated")
    parser.add_argument("--token-ttl-s", type=float, default=3600, help="how long a token is good")
    parser.add_argument("--same-token", action="store_true", help="hand out the same token until it expires")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait so long before each answer of the API")
    parser.add_argument("--log-dir", type=Path, help="keep every raw request and response here")
    arguments = parser.parse_args()
    arguments.credentials = arguments.credentials or [("stand-in-id", "stand-in-secret")]
    return arguments


if __name__ == "__main__":
    sys.exit(main())
