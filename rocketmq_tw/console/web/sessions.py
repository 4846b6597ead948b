"""
Who has signed in.

A session is a pair of secrets: a cookie that scripts cannot read, and a key that the
page keeps and sends in a header. Every request needs both. The cookie alone is what a
forged request would bring, and what other ports of this host are sent; the key alone
is what a script could read.

Programs send the token itself instead: ``Authorization: Bearer ...``.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict

import msgspec
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.console.errors import WrongToken
from rocketmq_tw.console.web.attempts import Attempts

#: Sessions that are kept; signing in once more ends the oldest.
MOST = 64


class Session(msgspec.Struct, frozen=True):
    """
    One sign-in.

    :ivar cookie: what the browser keeps from scripts.
    :ivar key: what the page sends in a header.
    :ivar ends_at: when it ends, by the clock.
    """

    cookie: str
    key: str
    ends_at: float


class Sessions:
    """
    The sessions, which end after a time, and when the program ends.

    :param token: what signs in.
    :param lifetime: of a session, in seconds.
    """

    def __init__(self, clock: IReactorTime, token: str, lifetime: float) -> None:
        self._clock = clock
        self._token = token.encode()
        self._lifetime = lifetime
        # The oldest first, by cookie; at most MOST.
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._attempts = Attempts(clock, lifetime)

    def sign_in(self, token: str, host: str) -> Session:
        """
        Start a session.

        :param host: the address of who asks.
        :raises HttpError: the token is wrong, or wrong ones came too often.
        """
        self.check_token(token, host)
        session = Session(
            secrets.token_urlsafe(32),
            secrets.token_urlsafe(32),
            self._clock.seconds() + self._lifetime,
        )
        while len(self._sessions) >= MOST:
            self._sessions.popitem(last=False)
        self._sessions[session.cookie] = session
        return session

    def check_token(self, token: str, host: str) -> None:
        """Compare a token. :raises HttpError: see :meth:`sign_in`."""
        self._attempts.check(host)
        if not hmac.compare_digest(token.encode(), self._token):
            self._attempts.wrong(host)
            raise WrongToken
        self._attempts.right(host)

    def find(self, cookie: str, key: str) -> Session | None:
        """Return the session of both secrets; None if there is none any more."""
        session = self._sessions.get(cookie)
        if session is None or not hmac.compare_digest(
            session.key.encode(), key.encode()
        ):
            return None
        if session.ends_at <= self._clock.seconds():
            del self._sessions[cookie]
            return None
        return session

    def is_current(self, session: Session | None) -> bool:
        """Whether a session has not ended; there is none where a token was sent."""
        return session is None or self.find(session.cookie, session.key) is session

    def end(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.cookie, None)
