"""The two clients of the tests: curl as a program, and Python requests."""

import subprocess
import tempfile
from pathlib import Path

import requests
import urllib3

from support.raw_http import Message, parse_fields, parse_head

TIMEOUT_S = 40


class Route:
    """How a client reaches the upstream's names through Tapedeck."""

    def __init__(self, tapedeck, way: str):
        self.way = way  # connect or origin
        self.proxy_url = tapedeck.proxy_url if way == "connect" else None
        self.base_url = tapedeck.base_url
        self.ca_file = str(tapedeck.ca_file)

    def url(self, host: str, path: str) -> str:
        return f"https://{host}{path}" if self.way == "connect" else self.base_url + path


class Curl:
    """A new process, and so a new connection, for each exchange."""

    name = "curl"

    def __init__(self, route: Route, folder: Path):
        self._route = route
        self._folder = folder

    def close(self) -> None:
        pass

    def send(self, method: str, host: str, path: str, headers: list, body=b"", chunked=False) -> Message:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            files = {name: Path(folder) / name for name in ("head", "body", "request")}
            command = ["curl", "-q", "--silent", "--show-error", "--http1.1", "--path-as-is", "--globoff"]
            command += ["--max-time", str(TIMEOUT_S), "--dump-header", files["head"], "--output", files["body"]]
            if self._route.proxy_url:
                command += ["--proxy", self._route.proxy_url, "--suppress-connect-headers"]
                command += ["--cacert", self._route.ca_file]
            command += ["--noproxy", "" if self._route.proxy_url else "*"]
            for name, value in headers:
                command += ["--header", f"{name}: {value}"]
            if chunked:
                command += ["--header", "Transfer-Encoding: chunked"]
            if body:
                files["request"].write_bytes(body)
                command += ["--data-binary", f"@{files['request']}"]
            command += ["--head"] if method == "HEAD" else ["--request", method]
            command.append(self._route.url(host, path))
            done = subprocess.run([str(part) for part in command], capture_output=True, env={"PATH": "/usr/bin:/bin"})
            message = _curl_message(files, done)
            if method == "HEAD":
                message.body = b""  # With --head curl writes the head there.
            return message


def _curl_message(files: dict, done: subprocess.CompletedProcess) -> Message:
    message = Message()
    head_bytes = files["head"].read_bytes() if files["head"].exists() else b""
    *heads, rest = head_bytes.decode("latin-1").split("\r\n\r\n")
    blocks = [block for block in heads if block.startswith("HTTP/")]
    for block in blocks:
        message.status_line, message.headers = parse_head(block)
        if 100 <= message.status < 200:
            message.interim.append((message.status_line, message.headers))
    # Behind the last head curl writes the trailers.
    others = [block for block in heads if not block.startswith("HTTP/")] + [rest]
    message.trailers = parse_fields("\r\n".join(others).split("\r\n"))
    message.body = files["body"].read_bytes() if files["body"].exists() else b""
    if done.returncode != 0:
        message.error = f"curl {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
    return message


class Requests:
    """One session: connections are kept and used again."""

    name = "requests"

    def __init__(self, route: Route, folder: Path):
        self._route = route
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.verify = route.ca_file
        if route.proxy_url:
            self._session.proxies = {"http": route.proxy_url, "https": route.proxy_url}

    def close(self) -> None:
        self._session.close()

    def send(self, method: str, host: str, path: str, headers: list, body=b"", chunked=False) -> Message:
        message = Message()
        data = iter([body]) if chunked else body or None
        try:
            answer = self._session.request(
                method,
                self._route.url(host, path),
                headers=dict(headers),
                data=data,
                stream=True,
                allow_redirects=False,
                timeout=TIMEOUT_S,
            )
            original = answer.raw._original_response
            message.status_line = f"HTTP/1.{original.version % 10} {answer.status_code} {original.reason}"
            message.headers = [(name, value.strip(" \t")) for name, value in original.msg.items()]
            for piece in answer.raw.stream(65536, decode_content=False):
                message.body += piece
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            message.error = f"requests: {error}"
        return message


CLIENTS = {"curl": Curl, "requests": Requests}
