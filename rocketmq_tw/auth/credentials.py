"""The name and the secret with which a client signs its requests."""

from __future__ import annotations

import msgspec

from rocketmq_tw.auth.errors import BadPolicy


class Credentials(msgspec.Struct, frozen=True):
    """
    The name and the secret of a user, or of an account of ACL 1.0.

    :ivar access_key: the user's name.
    :ivar secret_key: the password.
    :ivar security_token: accompanies temporary credentials.
    :raises BadPolicy: one of them is empty.
    """

    access_key: str
    secret_key: str
    security_token: str | None = None

    def __post_init__(self) -> None:
        if not self.access_key or not self.secret_key:
            raise BadPolicy("credentials have a name and a secret, and one is empty")

    def __repr__(self) -> str:
        return f"Credentials({self.access_key!r}, ...)"
