"""Python requests, as it comes: one session, settings from the environment."""

import sys

import dialled
import requests
from exchange_list import Answer, read_jobs, write_lines


def answer_of(session: requests.Session, job) -> Answer:
    data = iter([job.body]) if job.chunked else job.body or None
    try:
        got = session.request(job.method, job.url, headers=dict(job.headers), data=data, allow_redirects=False)
        return Answer(job.name, got.status_code, "", got.content, list(got.raw.headers.items()))
    except requests.RequestException as error:
        return Answer(job.name, error=repr(error))


def main(jobs_file: str, answers_file: str) -> None:
    dialled.redirect_names()
    with requests.Session() as session:
        write_lines(answers_file, (answer_of(session, job) for job in read_jobs(jobs_file)))


if __name__ == "__main__":
    main(*sys.argv[1:])
