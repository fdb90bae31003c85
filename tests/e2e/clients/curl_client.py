"""The program curl, once for each exchange. $DIAL and $TUNNEL become options that its users write."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from exchange_list import Answer, read_jobs, write_lines


def options_of(job, files: dict) -> list:
    options = ["-q", "--silent", "--show-error", "--path-as-is", "--globoff", "--suppress-connect-headers"]
    options += ["--dump-header", files["head"], "--output", files["body"]]
    for name, value in job.headers:
        options += ["--header", f"{name}: {value}"]
    if job.chunked:
        options += ["--header", "Transfer-Encoding: chunked"]
    if job.body:
        files["request"].write_bytes(job.body)
        options += ["--data-binary", f"@{files['request']}"]
    options += ["--head"] if job.method == "HEAD" else ["--request", job.method]
    if "DIAL" in os.environ:
        options += ["--connect-to", "::" + os.environ["DIAL"]]
    if "TUNNEL" in os.environ:
        options.append("--proxytunnel")
    return options


def answer_of(job) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name for name in ("head", "body", "request")}
        done = subprocess.run(["curl", *options_of(job, files), job.url], capture_output=True)
        if done.returncode != 0:
            return Answer(job.name, error=done.stderr.decode(errors="replace"))
        # Before the last head come interim ones, behind it trailers.
        blocks = files["head"].read_bytes().decode("latin-1").split("\r\n\r\n")
        first, *fields = [block for block in blocks if block.startswith("HTTP/")][-1].split("\r\n")
        headers = [tuple(part.strip() for part in field.split(":", 1)) for field in fields]
        body = files["body"].read_bytes() if job.method != "HEAD" and files["body"].exists() else b""
        return Answer(job.name, int(first.split(" ")[1]), "", body, headers)


if __name__ == "__main__":
    write_lines(sys.argv[2], map(answer_of, read_jobs(sys.argv[1])))
