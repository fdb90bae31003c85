"""The program wget, once for each exchange."""

import subprocess
import sys
import tempfile
from pathlib import Path

from exchange_list import Answer, read_jobs, write_lines

SERVER_ERROR = 8  # its exit code for any status that is an error; 4xx and 5xx are answers here


def options_of(job, files: dict) -> list:
    options = ["--quiet", "--server-response", "--content-on-error", "--tries=1", "--max-redirect=0"]
    options += [f"--output-document={files['body']}", f"--method={job.method}"]
    options += [f"--header={name}: {value}" for name, value in job.headers]
    if job.body:
        files["request"].write_bytes(job.body)
        options.append(f"--body-file={files['request']}")
    return options


def answer_of(job) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name for name in ("body", "request")}
        done = subprocess.run(["wget", *options_of(job, files), job.url], capture_output=True)
        # The head is indented by two spaces, whatever else it says is not.
        said = done.stderr.decode("latin-1").splitlines()
        head = [line[2:] for line in said if line.startswith("  ")]
        if not head or done.returncode not in (0, SERVER_ERROR):
            return Answer(job.name, error=" ".join(said))
        headers = [tuple(part.strip() for part in field.split(":", 1)) for field in head[1:]]
        return Answer(job.name, int(head[0].split(" ")[1]), "", files["body"].read_bytes(), headers)


if __name__ == "__main__":
    write_lines(sys.argv[2], map(answer_of, read_jobs(sys.argv[1])))
