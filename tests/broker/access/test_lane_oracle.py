"""The lanes of sends and transactions behind the guard, against the handlers."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import signer
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.wire.binary_header import binary_header
from rocketmq_tw.wire.command import JSON, decode, decode_ext
from rocketmq_tw.wire.fields import to_ext
from rocketmq_tw.wire.frame import FrameDecoder, join
from rocketmq_tw.wire.requests.auth import CreateAcl, CreateUser
from tests.broker.access.cases import ADMIN, BOB, AccessCase
from tests.broker.send.twins import Twins
from tests.broker.send.ways import frame_of
from tests.broker.transactions import test_lane_oracle as oracle

_ACL = (
    b'{"policies":[{"entries":[{"actions":["Pub"],"decision":"Allow",'
    b'"resource":"Topic:A"}]}]}'
)
_WRONG = Credentials("admin", "another")


def signed(data: bytes, who: Credentials | None) -> bytes:
    """Sign all frames, each in its own form."""
    found = b""
    for kind, header, body in FrameDecoder().feed(data):
        command = decode(kind, header)
        ext = decode_ext(header) if kind == JSON else command.fields
        if who is not None:
            signer(who)(ext, body)
        opaque, flag = command.opaque or 0, command.flag
        if kind == JSON:
            found += frame_of(command.code, ext, body, opaque=opaque, flag=flag)
        else:
            plain = binary_header(command.code, opaque, flag, None, ext)
            found += join(kind, plain, body)
    return found


class SignedTwins(Twins):
    """
    Sign what they receive.

    :ivar who: as this user; after every fifth read as another one.
    """

    reads = 0
    others = (BOB, None, BOB, _WRONG)

    def receive(self, connection: int, data: bytes) -> None:
        """Sign it as the administrator, or as somebody else."""
        self.reads += 1
        turn = self.reads // 5
        who = ADMIN if self.reads % 5 else self.others[turn % len(self.others)]
        super().receive(connection, signed(data, who))

    def receive_alone(self, data: bytes) -> None:
        """Sign it as the administrator."""
        super().receive_alone(signed(data, ADMIN))


class GuardedMachine(oracle.TransactionMachine):
    """Does the same to both brokers, which ask who sends it."""

    settings: dict[str, Any] = AccessCase.settings

    @rule(bits=st.sampled_from([8, 12]), is_binary=st.booleans())
    def usual(self, bits: int, is_binary: bool) -> None:
        """Prepare two transactions, and end them in one read."""
        first = self.twins.both[1].broker.store.max_offset(TRANS_HALF_TOPIC, 0)
        self.twins.receive(0, oracle.half_of() * 2)
        self.twins.do(lambda one: one.clock.advance(1.1))
        ends = [
            oracle.end_of(
                self.twins, first + n, topic="A", bits=bits, is_binary=is_binary
            )
            for n in range(2)
        ]
        self.twins.receive(0, b"".join(ends))

    def _end(self, back: int, shift: int, **fields: Any) -> bytes:
        """Write an end that names its topic, as those do that can be taken."""
        fields["topic"] = fields["topic"] or "A"
        return super()._end(back, shift, **fields)

    def __init__(self) -> None:
        super().__init__()
        self.twins.stop()
        self.twins = SignedTwins(oracle.CONNECTIONS, self.flush, self.settings)
        user = b'{"password":"hidden-bob","username":"bob"}'
        requests = (
            CreateUser(username="bob", body=user),
            CreateAcl(subject="User:bob", body=_ACL),
        )
        for each in requests:
            code = int(each.code)
            self.twins.receive_alone(frame_of(code, to_ext(each), each.body))


class GuardedOracleTests(SynchronousTestCase):
    """Both do the same."""

    def test_alike(self) -> None:
        """Whoever sends what, in which order."""
        run_state_machine_as_test(
            GuardedMachine,
            settings=settings(
                max_examples=15,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
