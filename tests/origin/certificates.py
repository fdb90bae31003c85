"""A throw-away certificate authority and one leaf, made with the openssl command line."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

LEAF_NAMES = ("api.roaring.io", "backend.roaring.io", "localhost")
LEAF_ADDRESSES = ("127.0.0.1",)


@dataclass(frozen=True)
class Certificates:
    ca_file: Path
    leaf_file: Path
    leaf_key_file: Path


def make_certificates(folder: Path) -> Certificates:
    ca_key, ca_file = folder / "ca.key", folder / "ca.pem"
    leaf_key, leaf_request, leaf_file = folder / "leaf.key", folder / "leaf.csr", folder / "leaf.pem"
    names = ",".join([f"DNS:{name}" for name in LEAF_NAMES] + [f"IP:{address}" for address in LEAF_ADDRESSES])
    extensions = folder / "leaf.ext"
    extensions.write_text(
        f"subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n"
    )
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl(
        ["req", "-x509", *new_key, "-keyout", ca_key, "-out", ca_file, "-days", "2"]
        + ["-subj", "/CN=Stand-in throw-away CA", "-addext", "basicConstraints=critical,CA:TRUE"]
        + ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    )
    _openssl(["req", *new_key, "-keyout", leaf_key, "-out", leaf_request, "-subj", f"/CN={LEAF_NAMES[0]}"])
    _openssl(
        ["x509", "-req", "-in", leaf_request, "-CA", ca_file, "-CAkey", ca_key, "-CAcreateserial"]
        + ["-out", leaf_file, "-days", "2", "-extfile", extensions]
    )
    return Certificates(ca_file, leaf_file, leaf_key)


def _openssl(arguments: list) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
