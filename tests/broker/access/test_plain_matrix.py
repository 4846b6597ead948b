"""Accounts of ACL 1.0 decide as an oracle does that shares nothing with them."""

from __future__ import annotations

import os
from collections import Counter
from ipaddress import ip_address
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.access.plain import PlainChecks
from rocketmq_tw.access.plain_files import PlainFiles
from rocketmq_tw.auth.errors import AccessDenied
from rocketmq_tw.threads import run_here
from rocketmq_tw.wire.command import decode, decode_ext
from rocketmq_tw.wire.frame import FrameDecoder
from tests.broker.access import plain_matrix
from tests.broker.access.plain_matrix import Asked


def checks(case: SynchronousTestCase) -> PlainChecks:
    """Read the accounts of the matrix."""
    folder = TemporaryDirectory()
    case.addCleanup(folder.cleanup)
    path = os.path.join(folder.name, "plain_acl.yml")
    with open(path, "w") as file:
        file.write(plain_matrix.file())
    return PlainChecks(PlainFiles(path, 100), run_here)


def is_allowed(found: PlainChecks, asked: Asked) -> bool:
    """Ask the accounts about a request as it came."""
    [(kind, header, body)] = FrameDecoder().feed(asked.frame())
    command = decode(kind, header, body)
    fields = command.fields
    ext = fields if isinstance(fields, dict) else decode_ext(header)
    address = ip_address(asked.address)
    try:
        user = found.authenticate(command.code, ext, body, address)
        found.authorize(user, asked.request, asked.address, address)
    except AccessDenied:
        return False
    return True


class MatrixTests(SynchronousTestCase):
    """Accounts, requests, topics and groups."""

    def test_every_case(self) -> None:
        """All combinations, of which many are allowed and many are not."""
        found = checks(self)
        count: Counter[bool] = Counter()
        wrong = []
        for asked in plain_matrix.cases():
            expected = asked.is_allowed
            count[expected] += 1
            if is_allowed(found, asked) != expected:
                wrong.append(asked)
        self.assertEqual(wrong, [])
        self.assertGreater(min(count[True], count[False]), 200)
