"""Real clients, and through which ways in each of them can reach Tapedeck.

A client is a program in tests/e2e/clients that does what its library's users do. It knows its API's address ($API_ROOT)
and what the environment of a wrapped command says; what else it needs stands here, and in the README's table.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from support import REPOSITORY
from support.processes import PYTHON

FOLDER = REPOSITORY / "tests" / "e2e" / "clients"
PLAIN_HOST = "plain.example"


@dataclass(frozen=True)
class Way:
    """How requests reach us: what a user writes in front of the client, and what the cassette has to say of it."""

    way_in: str
    shell: str
    options: tuple = ()
    plain: bool = False  # to an upstream without TLS


WAYS = {
    "proxy": Way("connect-tls", "export API_ROOT=https://api.roaring.io"),
    "absolute-http": Way(
        "absolute-form", f"export API_ROOT=http://{PLAIN_HOST}", options=("--host", PLAIN_HOST), plain=True
    ),
    "absolute-https": Way("absolute-form", "export API_ROOT=https://api.roaring.io"),
    "connect-plain": Way(
        "connect-plain", f"export API_ROOT=http://{PLAIN_HOST} TUNNEL=1", options=("--host", PLAIN_HOST), plain=True
    ),
    "base-url": Way("origin-form", ":", options=("--set-env", "API_ROOT")),
    "base-url-tls": Way("tls-direct", 'export API_ROOT="https${TAPEDECK_BASE_URL#http}"'),
    "tls-direct": Way(
        "tls-direct",
        'export API_ROOT=https://api.roaring.io DIAL="${TAPEDECK_PROXY_URL#http://}"; '
        "unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY",
    ),
}
BASE_URLS = ("base-url", "base-url-tls")
BY_ENVIRONMENT = ("proxy", "absolute-http", *BASE_URLS)


@dataclass(frozen=True)
class Client:
    command: tuple
    ways: tuple
    needs: str = ""  # what its user writes beside the environment, in shell
    cannot: frozenset = frozenset()  # kinds of exchanges (chunked, redirect, coding), or names of some


def python(file: str) -> tuple:
    return PYTHON, FOLDER / file


def node(file: str) -> tuple:
    return "node", FOLDER / file


# Debian's own node finds Debian's modules by itself; others are told.
DEBIAN_MODULES = 'export NODE_PATH="${NODE_PATH:+$NODE_PATH:}/usr/share/nodejs:/usr/lib/nodejs"'

# It waits for a body behind a 304 without a length, drops the body of a 401, and takes a 206 only to go on with a file.
WGET_CANNOT = frozenset({"chunked", "overview unchanged (304)", "token refused", "legacy, no token (401)"})
WGET_CANNOT |= {"part of a report"}

# Clients that can dial another address than the name's, but not another port, find ours in the URL.
PORT_IN_URL = '[ -z "$DIAL" ] || export API_ROOT="$API_ROOT:${DIAL##*:}"'
JAVA_HOSTS = PORT_IN_URL + (
    '; [ -z "$DIAL" ] || { echo "127.0.0.1 api.roaring.io" > hosts; '
    'export JDK_JAVA_OPTIONS="-Djdk.net.hosts.file=$PWD/hosts -Dhttp.nonProxyHosts=*"; }'
)

CLIENTS = {
    "curl": Client(python("curl_client.py"), (*BY_ENVIRONMENT, "tls-direct", "connect-plain")),
    "wget": Client(python("wget_client.py"), BY_ENVIRONMENT, cannot=WGET_CANNOT),
    "requests": Client(python("requests_client.py"), (*BY_ENVIRONMENT, "tls-direct")),
    "httpx": Client(python("httpx_client.py"), (*BY_ENVIRONMENT, "tls-direct")),
    "aiohttp": Client(python("aiohttp_client.py"), (*BY_ENVIRONMENT, "tls-direct")),
    "node https with an agent": Client(
        node("node_https.cjs"), ("proxy", "absolute-http"), needs=DEBIAN_MODULES + "; export USE_PROXY_AGENT=1"
    ),
    "node https": Client(node("node_https.cjs"), (*BASE_URLS, "tls-direct")),
    "undici": Client(node("node_undici.cjs"), BASE_URLS, needs=DEBIAN_MODULES),
    "undici with its agent": Client(
        node("node_undici.cjs"), ("proxy", "connect-plain"), needs=DEBIAN_MODULES + "; export USE_PROXY_AGENT=1"
    ),
    "node fetch": Client(node("node_fetch.cjs"), BASE_URLS),
    "axios": Client(node("node_axios.cjs"), ("absolute-https", "absolute-http", *BASE_URLS), needs=DEBIAN_MODULES),
    "java": Client(
        ("java", "-cp", "{built}", "JavaClient"),
        (*BY_ENVIRONMENT, "tls-direct"),
        needs=JAVA_HOSTS,
        cannot=frozenset({"trailers"}),
    ),
    "ruby": Client(("ruby", FOLDER / "ruby_client.rb"), (*BY_ENVIRONMENT, "tls-direct"), needs=PORT_IN_URL),
    "php curl": Client(("php", FOLDER / "php_curl.php"), (*BY_ENVIRONMENT, "tls-direct", "connect-plain")),
    "php streams": Client(
        ("php", FOLDER / "php_streams.php"), (*BASE_URLS, "tls-direct"), cannot=frozenset({"chunked"})
    ),
    "php streams with a proxy": Client(
        ("php", FOLDER / "php_streams.php"),
        ("proxy", "absolute-http"),
        needs="export USE_PROXY=1",
        cannot=frozenset({"chunked"}),
    ),
    "go": Client(("{built}/client",), (*BY_ENVIRONMENT, "tls-direct")),
    "chromium": Client(
        python("chromium_client.py"),
        (*BY_ENVIRONMENT, "tls-direct"),
        cannot=frozenset({"chunked", "redirect", "coding"}),
    ),
}


def build(name: str, folder: Path) -> None:
    """Clients of compiled languages are built once, into a folder of their own."""
    if name == "java":
        subprocess.run(["javac", "-d", folder, FOLDER / "JavaClient.java"], check=True)
    if name == "go":
        command = ["go", "build", "-o", folder / "client", FOLDER / "go_client.go"]
        subprocess.run(command, check=True)
