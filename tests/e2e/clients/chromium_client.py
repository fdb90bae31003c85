"""Chromium without a window: a page works off the list with fetch().

The page comes from a server of this script on the loopback, which also takes the answers. Pages of that origin may not
read other origins' answers; the browser is told to let them.
"""

import http.server
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

DEADLINE_S = 90
PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const base64Of = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
async function answerTo([name, method, path, framing, body, ...fields]) {
  try {
    const headers = fields.map((field) => [field.slice(0, field.indexOf(': ')), field.slice(field.indexOf(': ') + 2)]);
    const init = { method, headers, body: body ? bytesOf(body) : undefined, cache: 'no-store', redirect: 'error' };
    const got = await fetch(API_ROOT + path, init);
    const bytes = new Uint8Array(await got.arrayBuffer());
    return [name, got.status, '', base64Of(bytes), ...[...got.headers].map(([n, v]) => `${n}: ${v}`)];
  } catch (error) {
    return [name, 0, `${error}`, ''];
  }
}
const jobs = (await (await fetch('/jobs')).text()).split('\\n').filter(Boolean).map((line) => line.split('\\t'));
const lines = [];
for (const job of jobs) lines.push((await answerTo(job)).join('\\t') + '\\n');
await fetch('/answers', { method: 'POST', body: lines.join('') });
</script>"""

# What a browser asks Google for on its own account is no exchange of the page, and would be a miss.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync"]
QUIET += ["--disable-domain-reliability", "--disable-features=NetworkTimeServiceQuerying", "--no-first-run"]
QUIET += ["--gaia-url=http://127.0.0.1:1", "--component-updater=url-source=https://127.0.0.1:1/"]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = self.server.jobs if self.path == "/jobs" else self.server.page if self.path == "/" else b""
        self._answer(text)

    def do_POST(self):
        self.server.answers = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")
        self.server.done.set()

    def _answer(self, text: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path == "/" else "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def options() -> list:
    given = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-web-security", *QUIET]
    given.append(os.environ["SPKI_OPTION"])
    if "DIAL" in os.environ:
        given += ["--no-proxy-server", f"--host-resolver-rules=MAP api.roaring.io:443 {os.environ['DIAL']}"]
    return given


def main(jobs_file: str, answers_file: str) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.jobs, server.answers, server.done = Path(jobs_file).read_bytes(), b"", threading.Event()
    server.page = PAGE.replace("API_ROOT", f'"{os.environ["API_ROOT"]}"').encode()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ["chromium", *options(), f"--user-data-dir={profile}", f"http://127.0.0.1:{server.server_port}/"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.done.wait(DEADLINE_S)
        browser.terminate()
        browser.wait()
    Path(answers_file).write_bytes(server.answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
