"""Every request code over sockets to a broker with access control, by strangers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import signer
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import BINARY, JSON, decode, encode_request
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.frame import FrameDecoder
from rocketmq_tw.wire.requests.admin import GetBrokerConfig
from rocketmq_tw.wire.requests.auth import CreateUser
from rocketmq_tw.wire.requests.group import GetAllGroups
from rocketmq_tw.wire.requests.offset import GetAllConsumerOffset
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig
from tests.broker.access import samples
from tests.broker.access.plain_matrix import ACCOUNTS, file, secret_of
from tests.sockets.test_programs import ProgramCase, connected

_USERS = """
authenticationEnabled=true
authorizationEnabled=true
initAuthenticationUser={"username":"admin","password":"secret-of-admin"}
"""
_ACCOUNTS = "aclEnable=true\n"

#: No user, a wrong secret, and an unknown user.
STRANGERS = (
    None,
    Credentials("nothing-1", "another-secret"),
    Credentials("unknown-1", "a-secret"),
)
#: A user without rights.
NOBODY = Credentials("nothing-1", secret_of("nothing-1"))
#: What is compared.
TABLES = (
    GetAllTopicConfig(),
    GetAllGroups(),
    GetAllConsumerOffset(),
    GetBrokerConfig(),
)
#: A client without a consumer group, which does nothing; and the end of no transaction,
#: by a client that does not name a topic, as none before 5.0 does.
HARMLESS = {"UnregisterClient", "EndTransaction"}


class AccessTests(ProgramCase):
    """One program, on its main port and on its fast port."""

    def begin(self, settings: str) -> None:
        """Start a broker, and remember what it has stored."""
        path = self.folder / "broker.conf"
        path.write_text(path.read_text() + settings)
        self.launch()
        connected(self.port).close()

    def responses(
        self, port: int, who: Credentials | None, kind: int
    ) -> Iterator[tuple[str, int]]:
        """Send every declared request; return its name and the response's code."""
        sign = None if who is None else signer(who)
        frames = []
        names = {}
        for number, declared in enumerate(samples.declared().values(), 1):
            request = samples.sample(declared)
            names[number] = declared.__name__
            # A binary header has 16 bits for the code.
            form = JSON if request.code >= 1 << 15 else kind
            for one_way in (True, False):
                frame = encode_request(
                    request, number, kind=form, sign=sign, one_way=one_way
                )
                frames.append(frame)
        connection = connected(port)
        try:
            connection.sendall(b"".join(frames))
            for command in received(connection, len(names)):
                yield names.pop(command.opaque), int(command.code)
        finally:
            connection.close()
        self.assertEqual(names, {})

    def check(self, strangers: tuple[Credentials | None, ...]) -> None:
        """Nothing is handled but what does nothing: no table and no folder changes."""
        before = self.state()
        for who in (*strangers, NOBODY):
            for port in (self.port, self.port - 2):
                for kind in (JSON, BINARY):
                    found = list(self.responses(port, who, kind))
                    refused = [name for name, code in found if code == 16]
                    self.assertGreater(len(refused), 35)
                    rest = {name for name, code in found if code not in (3, 16)}
                    self.assertEqual(
                        rest - (HARMLESS if who == NOBODY else set()), set()
                    )
        self.assertEqual(self.state(), before)

    def state(self) -> tuple[list[Any], set[str]]:
        """Return the tables, as an administrator gets them, and the folders."""
        return [self.ask(request).body for request in TABLES], tree(
            self.folder / "data"
        )

    def ask(self, request: Request[Any]) -> Any:
        """Ask as the administrator."""
        with connected(self.port) as connection:
            connection.sendall(encode_request(request, 1, sign=signer(self.admin)))
            [response] = received(connection, 1)
        self.assertEqual(response.code, ResponseCode.SUCCESS)
        return response

    def test_users(self) -> None:
        """ACL 2.0."""
        self.begin(_USERS)
        body = b'{"username":"nothing-1","password":"%b"}' % NOBODY.secret_key.encode()
        made = CreateUser(username="nothing-1", body=body)
        self.admin = Credentials("admin", "secret-of-admin")
        self.ask(made)
        self.check(STRANGERS)

    def test_accounts(self) -> None:
        """ACL 1.0."""
        self.assertIn(NOBODY.access_key, ACCOUNTS)
        (self.folder / "plain_acl.yml").write_text(file())
        self.begin(_ACCOUNTS)
        self.admin = Credentials("admin-1", secret_of("admin-1"))
        self.check(STRANGERS)


def received(connection: socket.socket, count: int) -> Iterator[Any]:
    """Wait for so many responses."""
    decoder = FrameDecoder()
    while count:
        data = connection.recv(65536)
        assert data, "the broker closed the connection"
        for frame in decoder.feed(data):
            count -= 1
            yield decode(*frame)


def tree(folder: Path) -> set[str]:
    """Return all folders, and the files of messages; others are written meanwhile."""
    paths = folder.rglob("*")
    return {str(path) for path in paths if path.is_dir() or path.name.isdigit()}
