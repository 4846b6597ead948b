"""A broker with access control, and requests as clients sign them."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import signer
from rocketmq_tw.broker.access.settings import AccessSettings, Secret
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.wire.command import JSON, decode, encode_request
from rocketmq_tw.wire.fields import Request, from_ext
from tests.broker.cases import BrokerCase, Peer

ADMIN = Credentials("admin", "hidden-admin")
INNER = Credentials("inner", "hidden-inner")
BOB = Credentials("bob", "hidden-bob")


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

        response = self.response_of(handle)
        if isinstance(response, Deferred):
            return self.successResultOf(response)
        return response

    def status_as(self, who: Credentials | None, request: Request[Any]) -> int:
        """Ask as a user; return the code of the response."""
        return int(self.ask_as(who, request).status)

    def remark_as(self, who: Credentials | None, request: Request[Any]) -> str:
        """Ask as a user, who is refused with a remark."""
        response = self.ask_as(who, request)
        self.assertEqual(int(response.status), 16)
        return str(response.remark)
