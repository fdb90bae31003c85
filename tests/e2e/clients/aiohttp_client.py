"""Python aiohttp. It reads the environment's proxies only when it is told to trust it."""

import asyncio
import socket
import sys

import aiohttp
import dialled
from exchange_list import Answer, read_jobs, write_lines
from yarl import URL


class Resolver(aiohttp.abc.AbstractResolver):
    async def resolve(self, hostname, port=0, family=socket.AF_INET):
        host, port = dialled.target()
        where = {"hostname": hostname, "host": host, "port": port, "family": socket.AF_INET}
        return [where | {"proto": socket.IPPROTO_TCP, "flags": socket.AI_NUMERICHOST}]

    async def close(self):
        pass


async def pieces(body: bytes):
    yield body


async def answer_of(session: aiohttp.ClientSession, job) -> Answer:
    data = pieces(job.body) if job.chunked else job.body or None
    url = URL(job.url, encoded=True)
    try:
        async with session.request(job.method, url, headers=job.headers, data=data, allow_redirects=False) as got:
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in got.raw_headers]
            return Answer(job.name, got.status, "", await got.read(), headers)
    except (aiohttp.ClientError, OSError) as error:
        return Answer(job.name, error=repr(error))


async def main(jobs_file: str, answers_file: str) -> None:
    connector = aiohttp.TCPConnector(resolver=Resolver() if dialled.target() else None)
    async with aiohttp.ClientSession(connector=connector, trust_env=True) as session:
        write_lines(answers_file, [await answer_of(session, job) for job in read_jobs(jobs_file)])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
