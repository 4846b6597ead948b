"""A broker with access control, and requests as clients sign them."""

from __future__ import annotations

import os
from tempfile import mkdtemp
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.access.secrets import Secret
from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import signer
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.wire.command import JSON, decode, encode_request
from rocketmq_tw.wire.fields import Request, from_ext
from tests.broker.cases import BrokerCase, Peer

ADMIN = Credentials("admin", "hidden-admin")
INNER = Credentials("inner", "hidden-inner")
BOB = Credentials("bob", "hidden-bob")

#: A ``plain_acl.yml``.
FILE = """
globalWhiteRemoteAddresses:
  - 10.0.1.*
accounts:
  - accessKey: RocketMQ
    secretKey: hidden-1
    admin: false
    defaultTopicPerm: DENY
    defaultGroupPerm: SUB
    topicPerms:
      - TopicTest=PUB
  - accessKey: operator
    secretKey: hidden-2
    admin: true
"""
CLIENT = Credentials("RocketMQ", "hidden-1")
OPERATOR = Credentials("operator", "hidden-2")


class AccessCase(BrokerCase):
    """Has a broker with users, and asks it as one of them."""

    settings = {
        "access": AccessSettings(
            is_authenticated=True,
            is_authorized=True,
            first_user=Secret(ADMIN.access_key, ADMIN.secret_key),
            inner=Secret(INNER.access_key, INNER.secret_key),
        )
    }

    def ask_as(
        self,
        who: Credentials | None,
        request: Request[Any],
        peer: Any = None,
        kind: int = JSON,
    ) -> Any:
        """Ask as a user, over bytes; return the response."""
        response = self.begin(who, request, peer, kind)
        if isinstance(response, Deferred):
            return self.successResultOf(response)
        return response

    def begin(
        self,
        who: Credentials | None,
        request: Request[Any],
        peer: Any = None,
        kind: int = JSON,
    ) -> Any:
        """Ask as a user; return the response, or its Deferred."""
        sign = None if who is None else signer(who)
        frame = encode_request(request, 1, kind=kind, sign=sign)
        size = int.from_bytes(frame[5:8], "big")
        header, body = frame[8 : 8 + size], frame[8 + size :]
        command = decode(kind, header, body)
        found = self.router.find(command.code)
        assert found is not None
        declared, handler = found
        self.call = Call(command, peer or Peer(), self.clock.seconds(), header)

        def handle() -> Any:
            fields = command.fields
            if fields.__class__ is not declared:
                fields = from_ext(declared, fields)
                fields.body = body
            return handler(fields, self.call)

        return self.response_of(handle)

    def status_as(self, who: Credentials | None, request: Request[Any]) -> int:
        """Ask as a user; return the code of the response."""
        return int(self.ask_as(who, request).status)

    def remark_as(self, who: Credentials | None, request: Request[Any]) -> str:
        """Ask as a user, who is refused with a remark."""
        response = self.ask_as(who, request)
        self.assertEqual(int(response.status), 16)
        return str(response.remark)


class PlainCase(AccessCase):
    """Has a broker with the accounts of ``plain_acl.yml``."""

    def setUp(self) -> None:
        """Write the file before the broker starts."""
        self.folder = mkdtemp()
        self.addCleanup(os.system, f"rm -rf {self.folder}")
        self.path = os.path.join(self.folder, "plain_acl.yml")
        self.write(FILE)
        self.settings = {"access": AccessSettings(acl_file=self.path)}
        super().setUp()

    def write(self, text: str, name: str = "plain_acl.yml") -> str:
        """Replace one of the files; return its path."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path
