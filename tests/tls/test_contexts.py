"""Contexts: what they allow is seen in handshakes between two of them."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.settings import BadSetting
from rocketmq_tw.tls.contexts import client_context, server_context
from rocketmq_tw.tls.errors import BadTlsFile
from rocketmq_tw.tls.settings import INSECURE, BadTlsSetting, ClientAuth, ServerTls, Tls
from tests.tls.authority import NOW, Authority


def accept(_connection: Any, _certificate: Any, _n: int, _depth: int, ok: int) -> bool:
    """Agree with OpenSSL."""
    return bool(ok)


def shake(
    server: SSL.Context, client: SSL.Context, session: SSL.Session | None = None
) -> SSL.Connection:
    """
    Make a handshake; return the client's side.

    :param session: an earlier one to resume.

    :raises OpenSSL.SSL.Error: one side refused the other.
    """
    here, there = SSL.Connection(client, None), SSL.Connection(server, None)
    here.set_connect_state()
    there.set_accept_state()
    if session is not None:
        here.set_session(session)
    for _ in range(4):
        for one, other in ((here, there), (there, here)):
            try:
                one.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                other.bio_write(one.bio_read(65536))
            except SSL.WantReadError:
                pass
    there.do_handshake()
    try:
        here.recv(1)
    except SSL.WantReadError:
        pass
    return here


class ContextTests(SynchronousTestCase):
    """Versions, ciphers, authorities and certificates."""

    def setUp(self) -> None:
        """Make an authority and a server."""
        self.authority = Authority(self.mktemp())
        self.certificate, self.key = self.authority.issue()
        self.client_files = self.authority.issue("client")

    def server(self, **settings: Any) -> SSL.Context:
        """Make the context of a server."""
        own = ServerTls(certificate=self.certificate, key=self.key, **settings)
        return server_context(own, NOW)

    def client(self, **settings: Any) -> SSL.Context:
        """Make the context of a client."""
        settings.setdefault("ca_file", self.authority.ca)
        return client_context(Tls(**settings), NOW, accept)

    def test_modern(self) -> None:
        """The newest version and a modern cipher are chosen."""
        made = shake(self.server(), self.client())
        self.assertEqual(made.get_protocol_version_name(), "TLSv1.3")
        made = shake(self.server(protocols="TLSv1.2"), self.client())
        self.assertEqual(made.get_protocol_version_name(), "TLSv1.2")
        self.assertRegex(made.get_cipher_name() or "", "^ECDHE-.*(GCM|POLY1305)")

    def test_old_versions(self) -> None:
        """TLS 1.1 is refused."""
        old = SSL.Context(SSL.TLS_METHOD)
        old.set_max_proto_version(SSL.TLS1_1_VERSION)
        old.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        self.assertRaises(SSL.Error, shake, self.server(), old)

    def test_ciphers(self) -> None:
        """Those that are set are used; those that OpenSSL lacks are refused."""
        suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        server = self.server(ciphers=suite, protocols="TLSv1.2")
        made = shake(server, self.client())
        self.assertEqual(made.get_cipher_name(), "ECDHE-ECDSA-AES256-GCM-SHA384")
        self.assertRaises(BadSetting, self.server, ciphers="RC4-SHA")
        unknown = "TLS_FOO_SHA1"
        self.assertRaises(BadTlsSetting, self.server, ciphers=unknown)

    def test_unknown_authority(self) -> None:
        """A client trusts the authorities of its file, and no others."""
        other = Authority(self.mktemp())
        client = self.client(ca_file=other.ca)
        self.assertRaises(SSL.Error, shake, self.server(), client)
        shake(self.server(), self.client(ca_file=other.ca, verify=INSECURE))

    def test_client_certificates(self) -> None:
        """Required, optional, and of another authority."""
        certificate, key = self.client_files
        own = self.client(certificate=certificate, key=key)
        other = Authority(self.mktemp()).issue("client")
        wrong = self.client(certificate=other[0], key=other[1])
        for auth, without in ((ClientAuth.REQUIRE, False), (ClientAuth.OPTIONAL, True)):
            server = self.server(client_auth=auth, client_ca=self.authority.ca)
            shake(server, own)
            self.assertRaises(SSL.Error, shake, server, wrong)
            if without:
                shake(server, self.client())
            else:
                self.assertRaises(SSL.Error, shake, server, self.client())

    def test_files(self) -> None:
        """What is wrong with a file is said by its setting."""
        for settings, words in (
            ({"ca_file": "/nonexistent"}, "tls.client.trustCertPath: /nonexistent"),
            ({"certificate": "/nonexistent"}, "tls.client.certPath: /nonexistent"),
        ):
            error = self.assertRaises(BadTlsFile, self.client, **settings)
            self.assertIn(words, str(error))

    def test_self_signed(self) -> None:
        """Without a file a server makes its own certificate."""
        server = server_context(ServerTls(is_test=True), NOW)
        self.assertRaises(SSL.Error, shake, server, self.client())
        shake(server, self.client(verify=INSECURE))

    def test_resumption(self) -> None:
        """A session is resumed where clients show certificates, too."""
        certificate, key = self.client_files
        server = self.server(
            client_auth=ClientAuth.REQUIRE,
            client_ca=self.authority.ca,
            protocols="TLSv1.2",
        )
        client = self.client(certificate=certificate, key=key)
        session = shake(server, client).get_session()
        assert session is not None
        shake(server, client, session)
