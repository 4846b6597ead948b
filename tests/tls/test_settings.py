"""The settings of TLS, as they stand in files and on command lines."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.settings import BadSetting, UnreadableSettings
from rocketmq_tw.tls.settings import (
    INSECURE,
    BadTlsSetting,
    ClientAuth,
    ServerMode,
    ServerTls,
    Tls,
    TlsOptions,
    TlsSettings,
    cipher_names,
    protocol_names,
    take_settings,
)

NO_FILE = "/nonexistent/tls.properties"


def taken(*, options: TlsOptions | None = None, **values: str) -> TlsSettings:
    """Take settings that are named without their dots."""
    dotted = {key.replace("_", "."): value for key, value in values.items()}
    return take_settings(dotted, options, NO_FILE)


class TakeTests(SynchronousTestCase):
    """The keys of Apache RocketMQ."""

    def test_nothing(self) -> None:
        """Without a certificate there is no TLS, though the mode allows it."""
        found = taken()
        self.assertEqual(found, TlsSettings())
        self.assertIs(found.server.mode, ServerMode.PERMISSIVE)
        self.assertFalse(found.server.is_on)
        self.assertIsNone(found.client)

    def test_server(self) -> None:
        """Each key of the server's side arrives, and paths become absolute."""
        found = taken(
            tls_server_mode="Enforcing",
            tls_server_certPath="server.pem",
            tls_server_keyPath="/k/server.key",
            tls_server_keyPassword="secret",
            tls_server_need_client_auth="optional",
            tls_server_authClient="true",
            tls_server_trustCertPath="/k/ca.pem",
            tls_ciphers="TLS_AES_128_GCM_SHA256",
            tls_protocols="TLSv1.3",
        )
        expected = ServerTls(
            mode=ServerMode.ENFORCING,
            certificate=os.path.abspath("server.pem"),
            key="/k/server.key",
            key_password="secret",
            client_auth=ClientAuth.OPTIONAL,
            client_ca="/k/ca.pem",
            ciphers="TLS_AES_128_GCM_SHA256",
            protocols="TLSv1.3",
        )
        self.assertEqual(found.server, expected)
        self.assertTrue(found.server.is_on)

    def test_disabled(self) -> None:
        """A certificate alone turns nothing on if the mode is disabled."""
        found = taken(tls_server_mode="disabled", tls_server_certPath="/k/s.pem")
        self.assertFalse(found.server.is_on)

    def test_client(self) -> None:
        """Outgoing connections verify servers unless a word says otherwise."""
        found = taken(
            tls_enable="true",
            tls_client_certPath="/k/c.pem",
            tls_client_keyPath="/k/c.key",
            tls_client_keyPassword="secret",
            tls_client_trustCertPath="/k/ca.pem",
            tls_client_serverName="mq.example",
            tls_ha_enable="false",
        )
        expected = Tls(
            ca_file="/k/ca.pem",
            certificate="/k/c.pem",
            key="/k/c.key",
            key_password="secret",
            server_name="mq.example",
        )
        self.assertEqual(found, TlsSettings(client=expected, ha=False))

    def test_unverified(self) -> None:
        """The word is that of Apache RocketMQ; so is the other name of the switch."""
        found = taken(useTLS="true", tls_client_authServer="false").client
        assert found is not None
        self.assertEqual(found.verify, INSECURE)
        found = taken(tls_enable="true", tls_test_mode_enable="true").client
        assert found is not None
        self.assertEqual(found.verify, INSECURE)

    def test_taken_away(self) -> None:
        """What is left are the other settings."""
        values = {"tls.enable": "false", "useTLS": "false", "listenPort": "1"}
        take_settings(values, None, NO_FILE)
        self.assertEqual(values, {"listenPort": "1"})

    def test_refused(self) -> None:
        """What would protect less than it says is refused, with the key."""
        for values, words in (
            ({"tls.server.mod": "enforcing"}, "no setting tls.server.mod"),
            ({"tls.server.mode": "strict"}, "one of disabled, permissive, enforcing"),
            ({"tls.server.mode": "enforcing"}, "there is no certificate"),
            ({"tls.server.keyPath": "/k"}, "but not tls.server.certPath"),
            ({"tls.server.need.client.auth": "require"}, "tls.server.trustCertPath"),
            ({"tls.server.authClient": "true"}, "tls.server.need.client.auth"),
            ({"tls.enable": "yes"}, "true or false"),
        ):
            with self.assertRaises((BadSetting, BadTlsSetting)) as raised:
                take_settings(dict(values), None, NO_FILE)
            self.assertIn(words, str(raised.exception))

    def test_secrets(self) -> None:
        """No pass phrase is shown."""
        found = taken(
            tls_server_certPath="/k/s.pem",
            tls_server_keyPassword="hush",
            tls_enable="true",
            tls_client_keyPassword="hush",
        )
        self.assertNotIn("hush", repr(found))
        self.assertIn("/k/s.pem", repr(found))


class FileTests(SynchronousTestCase):
    """``tls.config.file``."""

    def file(self, text: str) -> str:
        """Write a file of settings."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_overrides(self) -> None:
        """It wins over the program's own, but for the mode and the switch."""
        path = self.file(
            "tls.server.certPath=/f.pem\ntls.server.mode=disabled\ntls.enable=true\n"
        )
        values = {
            "tls.config.file": path,
            "tls.server.certPath": "/own.pem",
            "tls.server.mode": "enforcing",
            "tls.enable": "false",
        }
        found = take_settings(values, None, NO_FILE)
        self.assertEqual(found.server.certificate, "/f.pem")
        self.assertIs(found.server.mode, ServerMode.ENFORCING)
        self.assertIsNone(found.client)

    def test_default(self) -> None:
        """The one at Apache RocketMQ's path is read if it is there."""
        path = self.file("tls.server.certPath=/f.pem\n")
        self.assertEqual(take_settings({}, None, path).server.certificate, "/f.pem")

    def test_missing(self) -> None:
        """One that is named must be there."""
        values = {"tls.config.file": "/nonexistent/x"}
        error = self.assertRaises(UnreadableSettings, take_settings, values)
        self.assertIn("/nonexistent/x", str(error))


class OptionTests(SynchronousTestCase):
    """The short options."""

    def test_certificate(self) -> None:
        """TLS is accepted besides plain connections."""
        options = TlsOptions.of({"tls-cert": "a.pem", "tls-key": "a.key"})
        found = taken(options=options)
        self.assertEqual(found.server.certificate, os.path.abspath("a.pem"))
        self.assertIs(found.server.mode, ServerMode.PERMISSIVE)
        self.assertIsNone(found.client)

    def test_client_authority(self) -> None:
        """Who wants certificates of clients does not want plain connections."""
        options = TlsOptions(cert="a.pem", client_ca="ca.pem")
        found = taken(options=options).server
        self.assertIs(found.mode, ServerMode.ENFORCING)
        self.assertIs(found.client_auth, ClientAuth.REQUIRE)
        self.assertEqual(found.client_ca, os.path.abspath("ca.pem"))
        options = TlsOptions(cert="a.pem", client_ca="ca.pem", mode="permissive")
        found = taken(options=options).server
        self.assertIs(found.mode, ServerMode.PERMISSIVE)

    def test_authority(self) -> None:
        """An authority of servers turns on TLS to them."""
        found = taken(options=TlsOptions(ca="ca.pem")).client
        self.assertEqual(found, Tls(ca_file=os.path.abspath("ca.pem")))


class TlsTests(SynchronousTestCase):
    """What a client is given."""

    def test_verify_is_a_word(self) -> None:
        """Nothing that looks false turns verification off."""
        for word in ("none", "", "false", "off"):
            error = self.assertRaises(BadTlsSetting, Tls, verify=word)
            self.assertIn(INSECURE, str(error))

    def test_key_without_certificate(self) -> None:
        """It would not be used."""
        self.assertRaises(BadTlsSetting, Tls, key="/k/a.key")


class NameTests(SynchronousTestCase):
    """The names of ciphers and versions."""

    def test_ciphers(self) -> None:
        """Java's names become OpenSSL's; those of TLS 1.3 are the same."""
        text = (
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,"
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_AES_256_GCM_SHA384:"
            "ECDHE-RSA-AES256-GCM-SHA384"
        )
        self.assertEqual(
            cipher_names(text),
            (
                "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
                "ECDHE-RSA-AES256-GCM-SHA384",
                "TLS_AES_256_GCM_SHA384",
            ),
        )

    def test_weak_ciphers(self) -> None:
        """Those without forward secrecy, or with older modes, are refused."""
        for text in ("RC4-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "ALL", "AES128-SHA"):
            self.assertRaises(BadSetting, cipher_names, text)

    def test_protocols(self) -> None:
        """Only the versions that are still safe."""
        self.assertEqual(protocol_names("TLSv1.2,TLSv1.3"), {"TLSv1.2", "TLSv1.3"})
        for text in ("TLSv1.1", "", "TLSv1.2,SSLv3"):
            self.assertRaises(BadSetting, protocol_names, text)
