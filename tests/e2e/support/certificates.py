"""Certificates of each kind that a TLS server can show, made with the openssl command line."""

import ssl
import subprocess
from pathlib import Path

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    def __init__(self, folder: Path):
        self._folder = folder
        self.file = folder / "authority.pem"
        self._key = folder / "authority.key"
        made = ["-keyout", self._key, "-out", self.file]
        _openssl("req", "-x509", *NEW_KEY, *made, "-days", "2", "-subj", "/CN=Authority")

    def server(self, name: str, days: int = 2) -> ssl.SSLContext:
        """A server's side with a certificate for `name`. With -1 day it has expired."""
        kinds = ("key", "csr", "pem", "ext")
        key, request, leaf, extensions = (self._folder / f"{name}{days}.{kind}" for kind in kinds)
        extensions.write_text(f"subjectAltName=DNS:{name}\n")
        _openssl("req", *NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        signed_by = ["-CA", self.file, "-CAkey", self._key, "-CAcreateserial"]
        _openssl("x509", "-req", "-in", request, *signed_by, "-out", leaf, "-days", days, "-extfile", extensions)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf, key)
        return context


def _openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
