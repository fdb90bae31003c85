"""The programs that are measured or measured against, each started on a core of its own choosing and ended again."""

import itertools
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template

from accounting import process_tree

HERE = Path(__file__).resolve().parent
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 60
BODY_BYTES = 1200


class Subject:
    """A running server, ended with its `with` block. `urls` has one base URL a scheme ("plain", "tls")."""

    def __init__(self, name: str, command: list, log: Path, core: int | None, environment: dict | None = None):
        self.name = name
        self.urls: dict[str, str] = {}
        self.ready_seconds = 0.0
        # Each load asks at random by a seed of its own, else keys would come again; the two sides of a row use the same.
        self.seeds = itertools.count(1)
        self._log = log
        self._started = time.monotonic()
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                preexec_fn=pin_to(core),
                env=_without_options(os.environ) | (environment or {}),
                cwd=log.parent,
            )

    def __enter__(self) -> "Subject":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self.stop()
        else:
            self._kill()

    def pids(self) -> list[int]:
        return process_tree(self._process.pid)

    def wait_until(self, ready: Callable[[], bool], seconds_max: float = START_SECONDS_MAX) -> None:
        while not ready():
            if self._process.poll() is not None or time.monotonic() > self._started + seconds_max:
                self._kill()
                raise RuntimeError(f"{self.name} did not start: {self._last_words()}")
            time.sleep(0.001)
        self.ready_seconds = time.monotonic() - self._started

    def stop(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended by itself: {self._last_words()}")
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._kill()
            raise RuntimeError(f"{self.name} did not stop within {STOP_SECONDS_MAX} s") from None
        if status != 0:
            raise RuntimeError(f"{self.name} ended with status {status}: {self._last_words()}")

    def _kill(self) -> None:
        if self._process.poll() is None:
            for pid in reversed(self.pids()):
                os.kill(pid, signal.SIGKILL)
            self._process.wait()

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:].strip() or "it said nothing"


def start_file_server(name: str, folder: Path, bodies: Path, core: int | None) -> Subject:
    """nginx that answers from files, and below /unique/ with a body that was never there before."""
    note = "x" * (BODY_BYTES - len('{"companyId":"","companyName":"Exempelbolaget AB","note":""}') - 32)
    unique_body = f'{{"companyId":"$request_id","companyName":"Exempelbolaget AB","note":"{note}"}}'
    return _start_nginx(name, folder, core, "nginx-files.template", bodies=bodies, unique_body=unique_body)


def start_least_server(program: Path, folder: Path, bodies: Path, core: int | None) -> Subject:
    """About what no server can fall below, see least_server.cpp. Plain connections alone."""
    folder.mkdir()
    (port,) = _free_ports(1)
    server = Subject("least server", [program, port, bodies / "items"], folder / "log", core)
    server.urls = {"plain": f"http://127.0.0.1:{port}"}
    server.wait_until(lambda: _accepts(port))
    return server


def start_nginx_proxy(name: str, folder: Path, upstream: Subject, core: int | None) -> Subject:
    """nginx in front of the upstream, with TLS and kept connections on both sides."""
    host_and_port = upstream.urls["tls"].removeprefix("https://")
    return _start_nginx(name, folder, core, "nginx-proxy.template", upstream=host_and_port)


def _start_nginx(name: str, folder: Path, core: int | None, role: str, **of_role) -> Subject:
    folder.mkdir()
    certificate, certificate_key = _make_certificate(folder)
    plain_port, tls_port = _free_ports(2)
    common = {"folder": folder, "plain_port": plain_port, "tls_port": tls_port}
    common |= {"certificate": certificate, "certificate_key": certificate_key}
    servers = Template((HERE / role).read_text()).substitute(common | of_role)
    # Started by root, the worker would become somebody who cannot read our folder.
    user_line = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    template = Template((HERE / "nginx.conf.template").read_text())
    configuration.write_text(template.substitute(common, servers=servers, user_line=user_line))
    nginx = Subject(name, ["nginx", "-e", "stderr", "-p", folder, "-c", configuration], folder / "log", core)
    nginx.urls = {"plain": f"http://127.0.0.1:{plain_port}", "tls": f"https://127.0.0.1:{tls_port}"}
    nginx.wait_until(lambda: _accepts(plain_port) and _accepts(tls_port))
    return nginx


def start_mitmproxy(folder: Path, upstream: Subject, core: int | None) -> Subject:
    """mitmdump in front of the upstream, writing each exchange to a file."""
    folder.mkdir()
    (port,) = _free_ports(1)
    words = ["mitmdump", "--quiet", "--mode", f"reverse:{upstream.urls['tls']}", "--ssl-insecure"]
    words += ["--listen-host", "127.0.0.1", "--listen-port", port, "--save-stream-file", folder / "flows"]
    words += ["--set", f"confdir={folder}"]
    mitmproxy = Subject("mitmproxy", words, folder / "log", core)
    mitmproxy.urls = {"tls": f"https://127.0.0.1:{port}"}
    mitmproxy.wait_until(lambda: _accepts(port))
    return mitmproxy


class Tapedeck:
    """Starts the program under test, with its folders for certificates and derived files below `home`."""

    def __init__(self, binary: Path, home: Path):
        self.binary = binary
        self.cache = home / "cache"
        self._home = home

    def record(self, cassette: Path, upstream: str, core: int | None, options: tuple = ()) -> Subject:
        # The authority of the upstream was made a moment ago; what is measured here is not trust.
        insecure = ["--upstream-insecure"] if upstream.startswith("https:") else []
        return self._start("record", cassette, upstream, core, ["--workers", 1, *insecure, *options])

    def replay(
        self, cassette: Path, upstream: str, core: int | None, workers: int = 1, seconds_max: float = START_SECONDS_MAX
    ) -> Subject:
        return self._start("replay", cassette, upstream, core, ["--workers", workers], seconds_max)

    def _start(self, command, cassette, upstream, core, options, seconds_max=START_SECONDS_MAX) -> Subject:
        self._home.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{command}-", dir=self._home))
        ready_file = folder / "ready.json"
        words = [self.binary, command, "--cassette", cassette, "--listen", "127.0.0.1:0", "--upstream", upstream]
        words += ["--profile", "none", "--admin", "off", "--quiet"]
        words += ["--ca-dir", self._home / "ca", "--ready-file", ready_file]
        environment = {"XDG_CACHE_HOME": str(self.cache)}
        tapedeck = Subject("tapedeck", words + options, folder / "log", core, environment)
        tapedeck.wait_until(ready_file.exists, seconds_max)
        ready = json.loads(ready_file.read_text())
        tapedeck.urls = {"plain": ready["base_url"], "tls": ready["base_url_tls"]}
        return tapedeck


def pin_to(core: int | None) -> Callable[[], None] | None:
    return None if core is None else (lambda: os.sched_setaffinity(0, {core}))


def _without_options(environment: Mapping[str, str]) -> dict[str, str]:
    """Options of tapedeck may stand in its environment, and in a file in the folder where it starts."""
    return {name: value for name, value in environment.items() if not name.startswith("TAPEDECK_")}


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    """A leaf with its authority behind it, as tapedeck sends them: what is sent costs both sides of a handshake."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    of_authority = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
    of_leaf = ("basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature")
    of_leaf += ("extendedKeyUsage=serverAuth", "subjectAltName=IP:127.0.0.1")
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    _certify("/O=Bench/CN=Bench authority", authority, authority_key, of_authority)
    _certify("/O=Bench", chain, key, of_leaf, "-CA", authority, "-CAkey", authority_key)
    chain.write_text(chain.read_text() + authority.read_text())
    return chain, key


def _certify(subject: str, certificate: Path, key: Path, extensions: tuple, *signed_by) -> None:
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    words += ["-config", HERE / "openssl.cnf", "-subj", subject, "-keyout", key, "-out", certificate, *signed_by]
    for extension in extensions:
        words += ["-addext", extension]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


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
