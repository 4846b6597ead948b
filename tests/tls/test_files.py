"""Certificates and keys, read from files."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.tls.errors import BadTlsFile
from rocketmq_tw.tls.files import (
    Credentials,
    load_certificates,
    load_credentials,
    name_of,
    signature_of,
)
from tests.tls.authority import NOW, Authority


class FileTests(SynchronousTestCase):
    """What may be wrong with a file, in a sentence that names it."""

    def setUp(self) -> None:
        """Make an authority."""
        self.folder = self.mktemp()
        self.authority = Authority(self.folder)

    def load(
        self, certificate: str, key: str | None, password: str | None = None
    ) -> Credentials:
        """Read a server's files."""
        return load_credentials(
            settings="tls.server.",
            certificate=certificate,
            key=key,
            password=password,
            now=NOW,
        )

    def refused(
        self, certificate: str, key: str | None, password: str | None = None
    ) -> str:
        """Return the sentence with which a server's files are refused."""
        return str(self.assertRaises(BadTlsFile, self.load, certificate, key, password))

    def written(self, name: str, data: bytes) -> str:
        """Write a file."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def test_forms(self) -> None:
        """PKCS#8 and the form before it, with and without pass phrase."""
        for traditional in (False, True):
            for password in (None, "hush"):
                certificate, key = self.authority.issue(
                    password=password, traditional=traditional
                )
                found = self.load(certificate, key, password)
                self.assertEqual(name_of(found.chain[0]), "server")
                self.assertNotIn("hush", repr(found))

    def test_kinds(self) -> None:
        """RSA and Ed25519 as well."""
        for kind in (
            rsa.generate_private_key(65537, 2048),
            ed25519.Ed25519PrivateKey.generate(),
        ):
            self.load(*self.authority.issue(key=kind))

    def test_one_file(self) -> None:
        """Chain and key may be in the same file, in any order."""
        certificate, key = self.authority.issue()
        pieces = [open(path, "rb").read() for path in (key, certificate)]
        authority = open(self.authority.ca, "rb").read()
        path = self.written("all.pem", b"".join([*pieces, authority]))
        self.assertEqual(len(self.load(path, None).chain), 2)

    def test_needless_password(self) -> None:
        """A pass phrase that the key does not need does no harm."""
        self.load(*self.authority.issue(), "hush")

    def test_missing(self) -> None:
        """Which file, and under which setting."""
        certificate, key = self.authority.issue()
        self.assertEqual(
            self.refused("/nonexistent/a", key),
            "tls.server.certPath: /nonexistent/a cannot be read: No such file or"
            " directory",
        )
        self.assertEqual(
            self.refused(certificate, "/nonexistent/b"),
            "tls.server.keyPath: /nonexistent/b cannot be read: No such file or"
            " directory",
        )
        self.assertIn("Is a directory", self.refused(self.folder, key))

    def test_no_certificate(self) -> None:
        """A file of another form, and one that is damaged."""
        certificate, key = self.authority.issue()
        self.assertIn("contains no certificate in PEM form", self.refused(key, key))
        text = open(certificate, "rb").read()
        damaged = self.written("damaged.pem", text.replace(b"M", b"!", 3))
        self.assertIn("contains a damaged certificate", self.refused(damaged, key))
        der = load_pem_x509_certificate(text).public_bytes(Encoding.DER)
        self.assertIn("DER form", self.refused(self.written("s.der", der), key))

    def test_no_key(self) -> None:
        """Likewise for keys."""
        certificate, key = self.authority.issue()
        self.assertIn(
            f"{certificate} contains no private key",
            self.refused(certificate, certificate),
        )
        text = open(key, "rb").read()
        damaged = self.written("damaged.key", text[:80] + b"AAAA" + text[84:])
        self.assertIn(
            "contains a damaged private key", self.refused(certificate, damaged)
        )
        for half in (b"PRIVATE KEY-----\n", b"PRIVATE KEY-----\n-----BEGIN x"):
            path = self.written("half.key", half)
            self.assertIn("contains no private key", self.refused(certificate, path))

    def test_password(self) -> None:
        """A missing pass phrase names its setting; a wrong one is not shown."""
        certificate, key = self.authority.issue(password="hush")
        self.assertIn("set tls.server.keyPassword", self.refused(certificate, key))
        said = self.refused(certificate, key, "whisper")
        self.assertIn("the pass phrase is wrong", said)
        self.assertNotIn("whisper", said)

    def test_other_key(self) -> None:
        """A key of another certificate."""
        certificate, _ = self.authority.issue()
        _, key = self.authority.issue("other")
        said = self.refused(certificate, key)
        self.assertIn(f"{key} is not the private key of the certificate in", said)

    def test_dates(self) -> None:
        """A certificate that has expired, or is not valid yet."""
        past = datetime(2021, 2, 3, 4, 5, tzinfo=UTC)
        said = self.refused(*self.authority.issue(end=past))
        self.assertIn("server, which expired on 2021-02-03 04:05 UTC", said)
        future = datetime(2080, 2, 3, 4, 5, tzinfo=UTC)
        said = self.refused(*self.authority.issue(begin=future))
        self.assertIn("server, which is valid from 2080-02-03 04:05 UTC on", said)

    def test_too_long(self) -> None:
        """No file makes the program read without end."""
        path = self.written("long", b"x" * ((4 << 20) + 1))
        error = self.assertRaises(BadTlsFile, load_certificates, "key", path)
        self.assertIn("more than 4194304 bytes", str(error))

    def test_signature(self) -> None:
        """It changes with a file, and when it appears or goes."""
        path = self.written("a", b"1")
        first = signature_of([path])
        self.assertEqual(signature_of([path]), first)
        self.written("a", b"12")
        second = signature_of([path])
        os.unlink(path)
        third = signature_of([path])
        self.assertEqual(len({first, second, third}), 3)

    def test_kind_of_curve(self) -> None:
        """Larger curves are read too."""
        self.load(*self.authority.issue(key=ec.generate_private_key(ec.SECP384R1())))


class FuzzTests(SynchronousTestCase):
    """Files of any bytes are refused with a sentence, and nothing else."""

    def setUp(self) -> None:
        """Make files that are good."""
        self.folder = self.mktemp()
        certificate, key = Authority(self.folder).issue(password="hush")
        self.good = open(certificate, "rb").read() + open(key, "rb").read()
        self.path = os.path.join(self.folder, "fuzzed")

    def load(self, data: bytes) -> None:
        """Read bytes as a certificate and its key."""
        with open(self.path, "wb") as file:
            file.write(data)
        try:
            load_credentials(
                settings="tls.server.",
                certificate=self.path,
                key=None,
                password="hush",
                now=NOW,
            )
        except BadTlsFile as error:
            assert self.path in str(error)

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, data: bytes) -> None:
        """Bytes that are nothing, and bytes that look like PEM."""
        self.load(data)
        text = base64.encodebytes(data)
        for kind in (b"CERTIFICATE", b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY"):
            lines = b"-----BEGIN %b-----\n%b-----END %b-----\n" % (kind, text, kind)
            self.load(lines + self.good)
            self.load(self.good.replace(b"CERTIFICATE", kind) + lines)

    @settings(deadline=None)
    @given(st.integers(0, 2000), st.binary(min_size=1, max_size=40))
    def test_changed(self, start: int, data: bytes) -> None:
        """Good files, of which a part was replaced."""
        self.load(self.good[:start] + data + self.good[start + len(data) :])
