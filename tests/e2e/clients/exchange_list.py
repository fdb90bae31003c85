"""The list that every client of this folder works off, and the answers that it leaves.

    CLIENT JOBS ANSWERS

with the API's address in $API_ROOT, as an application of its own would have it. Both files are lines of fields with
tabs between, since every language reads that without a library: name, method, path, `chunked` or `whole`, the body in
base64, and a field `Name: value` for each header; of an answer name, status, what went wrong, body and headers.
"""

import base64
import os
from dataclasses import dataclass, field


@dataclass
class Job:
    name: str
    method: str
    path: str
    chunked: bool = False
    body: bytes = b""
    headers: list = field(default_factory=list)

    @property
    def url(self) -> str:
        return os.environ["API_ROOT"] + self.path

    def line(self) -> str:
        framing = "chunked" if self.chunked else "whole"
        return _line(self.name, self.method, self.path, framing, base64.b64encode(self.body).decode(), self.headers)


@dataclass
class Answer:
    name: str
    status: int = 0
    error: str = ""
    body: bytes = b""
    headers: list = field(default_factory=list)

    def line(self) -> str:
        error = " ".join(self.error.split())
        return _line(self.name, str(self.status), error, base64.b64encode(self.body).decode(), self.headers)


def _line(*parts) -> str:
    *fields, headers = parts
    return "\t".join([*fields, *(f"{name}: {value}" for name, value in headers)]) + "\n"


def _headers(fields: list) -> list:
    return [tuple(text.split(": ", 1)) for text in fields]


def read_jobs(path) -> list:
    jobs = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, method, target, framing, body, *headers = line.rstrip("\n").split("\t")
            jobs.append(Job(name, method, target, framing == "chunked", base64.b64decode(body), _headers(headers)))
    return jobs


def read_answers(path) -> list:
    answers = []
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            name, status, error, body, *headers = line.rstrip("\n").split("\t")
            answers.append(Answer(name, int(status), error, base64.b64decode(body), _headers(headers)))
    return answers


def write_lines(path, items) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        for item in items:
            file.write(item.line())
            file.flush()
