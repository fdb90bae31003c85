"""Starts and stops the two programs of a test: Tapedeck and the stand-in of the upstream."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from support import ORIGIN_FOLDER, REPOSITORY

PYTHON = "/usr/bin/python3"
BINARY = Path(os.environ.get("TAPEDECK_BINARY", REPOSITORY / "build" / "release" / "tapedeck")).absolute()

# Generous, since sanitized builds on a busy machine are slow; nothing waits this long unless it is broken.
READY_DEADLINE_S = 30
STOP_DEADLINE_S = 30
POLL_S = 0.005

FIRST_KEYS = ("key-of-alice-4c1f0b27", "s3cret+of/alice=77&x%y-Zq8")
SECOND_KEYS = ("key-of-bob-90aa13d5e6", "tOp+bob/secret=42&p%q-Wm3")
TOKEN_TTL_S = 1200


def wait_until(condition, what: str, deadline_s: float = READY_DEADLINE_S):
    """Polls a condition and returns its first true value; there is no fixed sleep to get wrong."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {deadline_s} s in vain for {what}")
        time.sleep(POLL_S)


def clean_environment(home: Path) -> dict:
    """Nothing of the caller's settings reaches the program under test."""
    names = ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    folders = {"HOME": home, "XDG_DATA_HOME": home / "data", "XDG_CACHE_HOME": home / "cache"}
    folders |= {"XDG_CONFIG_HOME": home / "config", "XDG_RUNTIME_DIR": home / "run"}
    return kept | {name: str(folder) for name, folder in folders.items()}


class Process:
    """A child with a ready file and its standard error in a file."""

    def __init__(self, name: str, folder: Path):
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=name + "-", dir=folder))
        self.ready_file = self.folder / "ready.json"
        self.stderr_file = self.folder / "stderr"
        self.stdout_file = self.folder / "stdout"
        self.ready = {}
        self._child = None

    def start(self, command: list, **popen) -> None:
        arguments = [str(part) for part in command]
        with self.stderr_file.open("wb") as stderr, self.stdout_file.open("wb") as stdout:
            streams = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": stderr}
            self._child = subprocess.Popen(arguments, **streams, **popen)
        wait_until(self._is_ready, f"the ready file of {self.name}")
        self.ready = json.loads(self.ready_file.read_text())

    def _is_ready(self) -> bool:
        if self._child.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self._child.returncode} before it was ready:\n{self.stderr()}")
        return self.ready_file.exists()

    def stderr(self) -> str:
        return self.stderr_file.read_text(errors="replace")

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        return self.ready.get("pid", self._child.pid)

    def wait(self, deadline_s: float = STOP_DEADLINE_S) -> int:
        """The exit code, as a shell would give it."""
        try:
            code = self._child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise TimeoutError(f"{self.name} did not end within {deadline_s} s:\n{self.stderr()}") from None
        return code if code >= 0 else 128 - code

    def stop(self) -> int:
        if self.alive():
            os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            self._child.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.kill()
        elif self.alive():
            self.stop()


class StandIn(Process):
    """The upstream. Its raw bytes of both directions are in `log_dir`."""

    def __init__(self, folder: Path, *options: str, token_ttl_s: float = TOKEN_TTL_S):
        super().__init__("stand-in", folder)
        self.log_dir = self.folder / "log"
        command = [PYTHON, ORIGIN_FOLDER / "roaring_stand_in.py", "--ready-file", self.ready_file]
        command += ["--log-dir", self.log_dir, "--token-ttl-s", str(token_ttl_s)]
        for pair in (FIRST_KEYS, SECOND_KEYS):
            command += ["--credentials", ":".join(pair)]
        self.start([*command, *options])
        # The CA outlives the process, because replaying tests start with it stopped.
        self.ca_file = Path(shutil.copy(self.ready["ca_file"], self.folder / "ca.pem"))
        self.https_port, self.http_port = self.ready["https_port"], self.ready["http_port"]

    def upstream_options(self, hosts=("api.roaring.io", "backend.roaring.io")) -> list:
        options = ["--upstream-ca", self.ca_file]
        for host in hosts:
            options += ["--connect-to", f"{host}:443:127.0.0.1:{self.https_port}"]
        return options

    def issued_secrets(self) -> list:
        file = self.log_dir / "issued_secrets.txt"
        return file.read_text(encoding="utf-8").split() if file.exists() else []

    def transcripts(self) -> list:
        """All (request bytes, response bytes), in the order in which their answers ended."""
        responses = sorted(self.log_dir.glob("*.response"))
        return [(file.with_suffix(".request").read_bytes(), file.read_bytes()) for file in responses]


class Tapedeck(Process):
    """`record`, `replay` or `auto`, not wrapped, on a free port of 127.0.0.1."""

    def __init__(self, folder: Path, mode: str, cassette: Path, *options, wrapper: tuple = (), env=None, **popen):
        super().__init__(f"tapedeck-{mode}", folder)
        self.cassette = Path(cassette)
        command = [*wrapper, BINARY, mode, "--cassette", cassette, "--listen", "127.0.0.1:0"]
        command += ["--ready-file", self.ready_file, *options]
        home = folder / "home"
        home.mkdir(exist_ok=True)
        environment = clean_environment(home) | (env or {})
        self.start(command, env=environment, cwd=self.folder, **popen)

    @property
    def proxy_url(self) -> str:
        return self.ready["proxy_url"]

    @property
    def base_url(self) -> str:
        return self.ready["base_url"]

    @property
    def port(self) -> int:
        return int(self.proxy_url.rpartition(":")[2].rstrip("/"))

    @property
    def ca_file(self) -> str:
        return self.ready["ca_file"]


def run_tapedeck(folder: Path, *arguments, binary=BINARY, env=None, cwd=None, timeout_s: float = 60, **run):
    """One command from start to end; standard output and error as text."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    command = [str(binary), *map(str, arguments)]
    environment = clean_environment(home) | (env or {})
    return subprocess.run(
        command, env=environment, cwd=cwd or folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", timeout=timeout_s, **run,
    )  # fmt: skip
