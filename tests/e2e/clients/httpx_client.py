"""Python httpx, as it comes: one client, settings from the environment."""

import sys

import dialled
import httpx
from exchange_list import Answer, read_jobs, write_lines


def answer_of(client: httpx.Client, job) -> Answer:
    content = iter([job.body]) if job.chunked else job.body or None
    try:
        got = client.request(job.method, job.url, headers=job.headers, content=content)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in got.headers.raw]
        return Answer(job.name, got.status_code, "", got.content, headers)
    except httpx.HTTPError as error:
        return Answer(job.name, error=repr(error))


def main(jobs_file: str, answers_file: str) -> None:
    dialled.redirect_names()
    with httpx.Client() as client:
        write_lines(answers_file, (answer_of(client, job) for job in read_jobs(jobs_file)))


if __name__ == "__main__":
    main(*sys.argv[1:])
