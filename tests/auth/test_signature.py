"""Tests of signatures."""

from __future__ import annotations

import hmac
from base64 import b64encode

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.signature import (
    MAX_ORDERS,
    Key,
    _orders,
    content,
    is_signed,
    signer,
)

SECRET = b"12345678"
KEY = Key(SECRET)
KNOWN = "BacX6MdywLat0sUH9ZDTA5VZQXU="


class SignatureTests(SynchronousTestCase):
    """Signatures are those of Apache RocketMQ's clients."""

    def test_content(self) -> None:
        """It has the values in the order of their names; the body follows."""
        ext = {"b": "2", "AccessKey": "me", "a": "1", "Signature": "not this"}
        self.assertEqual(content(ext), b"me12")

    def test_known(self) -> None:
        """The signature of some content, as OpenSSL computes it."""
        # printf me12body | openssl dgst -sha1 -hmac 12345678 -binary | base64
        self.assertEqual(KEY.sign(b"me12body").decode(), KNOWN)

    def test_key(self) -> None:
        """A prepared secret signs as the standard library does, whatever its length."""
        for size in (1, 20, 63, 64, 65, 200):
            secret = bytes(range(size))
            expected = b64encode(hmac.digest(secret, b"content", "sha1"))
            self.assertEqual(Key(secret).sign(b"content"), expected)
            self.assertEqual(Key(secret).sign(b"con", b"tent"), expected)

    def test_long_body(self) -> None:
        """A body is signed in the same way whether it is copied or not."""
        for size in (2047, 2048, 5000):
            body = b"x" * size
            expected = hmac.digest(b"12345678", b"content" + body, "sha1")
            self.assertEqual(KEY.digest(b"content", body), expected)

    def test_orders(self) -> None:
        """The order of fields is remembered for so many headers, and no more."""
        for i in range(3 * MAX_ORDERS):
            self.assertEqual(content({f"b{i}": "2", "a": "1"}), b"12")
        self.assertLessEqual(len(_orders), MAX_ORDERS)
        _orders.clear()
        for ext in ({"b" * 2000: "2", "a": "1"}, {f"b{i}": "" for i in range(100)}):
            content(ext)
        self.assertEqual(_orders, {})
        self.assertEqual(content({"a": "1"}), b"1")
        self.assertEqual(content({"Signature": "1"}), b"")

    def test_round_trip(self) -> None:
        """A request that is signed is accepted, and not if anything is changed."""
        ext = {"topic": "T", "queueId": "0"}
        signer(Credentials("me", "12345678", "token"))(ext, b"body")
        self.assertEqual((ext["AccessKey"], ext["SecurityToken"]), ("me", "token"))
        self.assertTrue(is_signed(ext, b"body", KEY))
        self.assertFalse(is_signed(ext, b"bode", KEY))
        self.assertFalse(is_signed(ext, b"body", Key(b"1234567")))
        for name in ext:
            self.assertFalse(is_signed({**ext, name: "other"}, b"body", KEY), name)
        self.assertFalse(is_signed({}, b"", KEY))

    def test_field_that_is_added_later(self) -> None:
        """Old clients add one field to queries after they have signed them."""
        ext = {"topic": "T"}
        signer(Credentials("me", "12345678"))(ext, b"")
        ext["_UNIQUE_KEY_QUERY"] = "true"
        self.assertTrue(is_signed(ext, b"", KEY))
        # Queries have no body, and a large one is not looked at twice.
        self.assertFalse(is_signed(ext, b"body", KEY))
        signer(Credentials("me", "12345678"))(ext, b"")
        self.assertTrue(is_signed(ext, b"", KEY))


class CredentialsTests(SynchronousTestCase):
    """The name and the secret of a user."""

    def test_shows_no_secret(self) -> None:
        """Neither the secret nor the token is in its representation."""
        text = repr(Credentials("me", "hidden-secret", "hidden-token"))
        self.assertIn("me", text)
        self.assertNotIn("hidden", text)

    def test_empty(self) -> None:
        """Both have to be given."""
        for name, secret in (("", "x"), ("x", "")):
            self.assertRaises(BadPolicy, Credentials, name, secret)
