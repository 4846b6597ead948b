"""Access control: its documents, the bodies of its requests, and the files of TLS."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address
from tempfile import TemporaryDirectory

import msgspec
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.internet.defer import succeed

from rocketmq_tw.access.plain_files import make_text, read_document
from rocketmq_tw.auth.acl import make_acl
from rocketmq_tw.auth.addresses import network, white_list
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.broker.access.processor import AccessProcessor
from rocketmq_tw.broker.access.users import (
    AccessDocument,
    UserRow,
    UserTable,
    make_user,
)
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.tls.errors import BadTlsFile
from rocketmq_tw.tls.files import load_certificates, load_credentials
from rocketmq_tw.wire.errors import BadField, MalformedJson
from rocketmq_tw.wire.requests.auth import (
    CreateAcl,
    CreateUser,
    DeleteAcl,
    ListAcls,
    UpdateUser,
)
from tests.auth import matrix
from tests.broker.access import plain_matrix
from tests.fuzz.target import Budget, Target
from tests.fuzz.targets.documents import write
from tests.fuzz.targets.json import repeated
from tests.tls.authority import NOW, Authority

_ADDRESSES = tuple(map(ip_address, ("10.0.1.7", "fe80::7")))


def _accounts(data: bytes) -> None:
    """Read a file of ACL 1.0, and ask what it allows."""
    text = make_text(read_document(data, "plain_acl.yml"), "plain_acl.yml").text
    acl = make_acl([text], 1000)
    for address in _ADDRESSES:
        acl.is_white(address, "nothing-1")


def _table() -> UserTable:
    """Return a table with one user."""
    users = UserTable(max_users=100, max_entries=10_000)
    users.put(make_user(UserRow("bob", "secret")))
    return users


def _document(data: bytes) -> None:
    """Read a document; what is written again says the same."""
    users = UserTable(max_users=100, max_entries=10_000)
    users.load(AccessDocument.decode(data))
    again = UserTable(max_users=100, max_entries=10_000)
    again.load(AccessDocument.decode(users.dump().encode()))
    assert again.dump() == users.dump()


def _request(data: bytes) -> None:
    """Handle each of the requests with this body, or with this text in its header."""
    users = _table()
    processor = AccessProcessor(users, lambda: succeed(None))
    text = data.decode("utf-8", "replace")
    for handle, request in (
        (processor.create_user, CreateUser("eve", body=data)),
        (processor.update_user, UpdateUser("bob", body=data)),
        (processor.update_acl, CreateAcl("User:bob", body=data)),
        (processor.create_user, CreateUser(text, body=b'{"password":"p"}')),
        (processor.update_acl, CreateAcl(text, body=b"{}")),
        (processor.delete_acl, DeleteAcl("User:bob", text, text)),
        (processor.list_acls, ListAcls(text, text)),
    ):
        with contextlib.suppress(BadPolicy, Refused, MalformedJson, BadField):
            handle(request)  # type: ignore[operator]
    users.dump()


def _addresses(data: bytes) -> None:
    """Read a pattern in each way there is."""
    text = data.decode("utf-8", "replace")
    for read in (white_list, network):
        with contextlib.suppress(BadPolicy):
            matches = read(text)
            for address in _ADDRESSES if matches is not None else ():
                matches(address)


@cache
def _files() -> tuple[TemporaryDirectory[str], dict[str, str]]:
    """Make the files of an authority; what a key has to match is among them."""
    folder = TemporaryDirectory(prefix="rocketmq-fuzz-")
    authority = Authority(folder.name)
    paths = {"ca": authority.ca}
    paths["cert"], paths["key"] = authority.issue()
    paths["old cert"], paths["old key"] = authority.issue(
        "old", traditional=True, key=rsa.generate_private_key(65537, 2048)
    )
    _, paths["secret key"] = authority.issue("secret", password="a-word")
    return folder, paths


def _data(*names: str) -> Iterator[bytes]:
    """Return the contents of files."""
    for name in names:
        with open(_files()[1][name], "rb") as file:
            yield file.read()


def _certificates(data: bytes) -> None:
    load_certificates("tls.server.certPath", write("server.pem", data))


def _key(data: bytes) -> None:
    """Read a key, with a pass phrase and without."""
    path = write("server.key", data)
    for password in (None, "a-word"):
        with contextlib.suppress(BadTlsFile):
            load_credentials(
                settings="tls.server.",
                certificate=_files()[1]["cert"],
                key=path,
                password=password,
                now=NOW,
            )


def _documents() -> Iterator[bytes]:
    """Return documents to start from."""
    users = [UserRow(name, "secret") for name in matrix.USERS]
    acls = [
        matrix.acl_text(rules, f"User:{name}")
        for name, rules in matrix.USERS.items()
        if rules
    ]
    yield AccessDocument(tuple(users), tuple(acls)).encode()
    yield b'{"users":[{"username":"a","password":"b","userStatus":"disable"}]}'


def _bodies() -> Iterator[bytes]:
    """Return bodies to start from."""
    for rules in list(matrix.USERS.values())[-3:]:
        yield msgspec.json.encode(matrix.acl_text(rules))
    yield b'{"password":"p","userType":"Super","userStatus":"enable"}'
    yield b"User:bob"
    yield b"Topic:order*"


def _der(data: bytes) -> bytes:
    """Return the bytes within a PEM text."""
    import base64

    return base64.b64decode(b"".join(data.splitlines()[1:-1]))


_ENTRY = '{"actions":["Pub"],"decision":"Allow","resource":"Topic:%d"},'
_JSON = (BadPolicy, MalformedJson, BadField)
#: A buffer for the longest file that is read, twice.
_BUFFERS = Budget(work=80_000, memory=9 << 20)
#: The module is imported where a file is read.
assert yaml.__version__

TARGETS = (
    Target(
        name="plain_acl.yml",
        run=_accounts,
        errors=(BadPolicy,),
        seeds=lambda: (
            plain_matrix.file().encode(),
            b"accounts: [{accessKey: 1234567, secretKey: '7654321'}]",
        ),
        # libyaml's own buffers.
        budget=Budget(memory=1 << 20),
        pieces=(b"&a ", b"*a", b"<<: ", b"!!python/name:os ", b"- ", b"? ", b"{", b"["),
        amplifiers={
            "accounts": repeated("accounts:\n", "- {accessKey: a, secretKey: b}\n"),
            "lists": repeated("accounts: ", "["),
            "tables": repeated("accounts: ", "{a: "),
            "choices": repeated("globalWhiteRemoteAddresses: ['10.0.0.{", "1,", "}']"),
        },
        examples=10,
    ),
    Target(
        name="access.json",
        run=_document,
        errors=_JSON,
        seeds=lambda: list(_documents()),
        amplifiers={
            "users": repeated('{"users":[', '{"username":"a","password":"b"},', "]}"),
        },
        budget=Budget(work=100_000, work_each=160),
        examples=10,
    ),
    Target(
        name="access-request",
        run=_request,
        errors=(),
        seeds=lambda: list(_bodies()),
        pieces=(b'"resource":"*"', b"Topic:", b"User:", b'"Any"', b'"sourceIps":'),
        amplifiers={
            "entries": lambda size: (
                b'{"policies":[{"entries":['
                + ",".join(_ENTRY[:-1] % i for i in range(size // 55 + 1)).encode()
                + b"]}]}"
            ),
            "actions": repeated(
                '{"policies":[{"entries":[{"resource":"*","decision":"Deny","actions":[',
                '"Pub",',
                '"Sub"]}]}]}',
            ),
        },
        budget=Budget(work=40_000, work_each=240, memory_each=400),
    ),
    Target(
        name="address-pattern",
        run=_addresses,
        errors=(),
        seeds=lambda: (
            b"10.0.0.1",
            b"10.0.0-3.*",
            b"10.0.0.{1,2,7}",
            b"10.0.0.1,10.0.0.2",
            b"fe80::1-5:*:*:*:*:*:*",
            b"10.0.0.0/8",
        ),
        amplifiers={
            "choices": repeated("10.0.0.{", "1,", "1}"),
            "dots": repeated("1", ".1"),
            "commas": repeated("10.0.0.1", ",10.0.0.2"),
        },
        budget=Budget(work_each=120),
    ),
    Target(
        name="tls-certificate",
        run=_certificates,
        errors=(BadTlsFile,),
        seeds=lambda: (*_data("cert", "old cert"), b"".join(_data("cert", "ca"))),
        pieces=(b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"),
        amplifiers={"copies": lambda size: b"".join(_data("cert")) * (size // 700 + 1)},
        budget=_BUFFERS,
    ),
    Target(
        name="tls-key",
        run=_key,
        errors=(),
        seeds=lambda: (
            *_data("key", "old key", "secret key"),
            *map(_der, _data("key", "old key")),
        ),
        pieces=(b"-----BEGIN ", b"PRIVATE KEY-----\n", b"ENCRYPTED ", b"RSA ", b"EC "),
        amplifiers={"begins": repeated("", "-----BEGIN PRIVATE KEY-----\n")},
        budget=_BUFFERS,
    ),
)
