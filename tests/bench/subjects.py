"""The programs that are measured: nginx serving files, and tapedeck replaying what it recorded from that nginx."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse
from pathlib import Path
from string import Template

from load import process_tree

HERE = Path(__file__).resolve().parent
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 20


class Subject:
    """A running server. `urls` has one base URL a scheme ("plain", "tls")."""

    def __init__(self, name: str, command: list, log: Path, core: int | None):
        self.name = name
        self.urls: dict[str, str] = {}
        self._log = log
        pin = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, preexec_fn=pin
            )

    def pids(self) -> list[int]:
        return process_tree(self._process.pid)

    def wait_until(self, ready) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start: {self._last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended by itself: {self._last_words()}")
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"{self.name} did not stop within {STOP_SECONDS_MAX} s") from None
        if status != 0:
            raise RuntimeError(f"{self.name} ended with status {status}: {self._last_words()}")

    def kill(self) -> None:
        if self._process.poll() is None:
            for pid in reversed(self.pids()):
                os.kill(pid, signal.SIGKILL)
            self._process.wait()

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:].strip() or "it said nothing"


def start_nginx(name: str, folder: Path, bodies: Path, core: int | None) -> Subject:
    folder.mkdir()
    certificate, certificate_key = _make_certificate(folder)
    plain_port, tls_port = _free_ports(2)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        Template((HERE / "nginx.conf.template").read_text()).substitute(
            folder=folder,
            bodies=bodies,
            plain_port=plain_port,
            tls_port=tls_port,
            certificate=certificate,
            certificate_key=certificate_key,
            # Started by root, the worker would become somebody who cannot read our folder.
            user_line="user root;" if os.geteuid() == 0 else "",
        )
    )
    command = ["nginx", "-e", "stderr", "-p", folder, "-c", configuration]
    nginx = Subject(name, command, folder / "log", core)
    nginx.urls = {"plain": f"http://127.0.0.1:{plain_port}", "tls": f"https://127.0.0.1:{tls_port}"}
    nginx.wait_until(lambda: _accepts(plain_port) and _accepts(tls_port))
    return nginx


def record(binary: Path, folder: Path, upstream: str, count: int, cassette: Path) -> None:
    """Records each path once, as any client would."""
    recorder = _start_tapedeck(binary, "record", folder, upstream, cassette, core=None, options=[])
    try:
        fetch_all(recorder.urls["plain"], count)
        recorder.stop()
    finally:
        recorder.kill()


def start_replay(binary: Path, folder: Path, upstream: str, cassette: Path, core: int | None) -> Subject:
    return _start_tapedeck(binary, "replay", folder, upstream, cassette, core, options=["--workers", "1"])


def _start_tapedeck(binary, command, folder, upstream, cassette, core, options) -> Subject:
    folder.mkdir()
    ready_file = folder / "ready.json"
    words = [binary, command, "--cassette", cassette, "--listen", "127.0.0.1:0", "--upstream", upstream]
    words += ["--profile", "none", "--admin", "off", "--ca-dir", folder / "ca", "--ready-file", ready_file, "-q"]
    tapedeck = Subject("tapedeck", words + options, folder / "log", core)
    tapedeck.wait_until(ready_file.exists)
    ready = json.loads(ready_file.read_text())
    tapedeck.urls = {"plain": ready["base_url"], "tls": ready["base_url_tls"]}
    return tapedeck


def fetch_all(url: str, count: int) -> list[bytes]:
    """Every body in order, over one connection; anything but 200 is an error."""
    connection = _connect(url)
    bodies = []
    for number in range(count):
        connection.request("GET", f"/items/{number}")
        response = connection.getresponse()
        bodies.append(response.read())
        if response.status != 200:
            raise RuntimeError(f"{url}/items/{number} answered {response.status}: {bodies[-1][:300]!r}")
    connection.close()
    return bodies


def negotiated_cipher(url: str) -> str:
    connection = _connect(url)
    connection.connect()
    name, version, _ = connection.sock.cipher()
    connection.close()
    return f"{version} {name}"


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    # The certificates are throw-away ones; what is measured here is not trust.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=10, context=context)


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(words, check=True, capture_output=True)
    return certificate, key


def _free_ports(count: int) -> list[int]:
    # nginx takes no port 0; all are held at once, so that they differ.
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
