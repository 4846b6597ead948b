"""Signing in and out."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

import msgspec

from rocketmq_tw.console.api.routes import Call, Done, Route
from rocketmq_tw.console.token import LONGEST
from rocketmq_tw.console.web.sessions import Sessions


class SetCookie(Protocol):
    """Lets the browser of a request keep a secret for some seconds."""

    def __call__(self, request: Any, value: str, lifetime: int) -> None:
        """Set the cookie."""


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one signs in with."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]


class SignedIn(msgspec.Struct, frozen=True):
    """
    A session.

    :ivar key: to be sent as ``X-Console-Key`` with every request, besides the cookie.
    :ivar lifetime: seconds after which it ends.
    """

    key: str
    lifetime: int


class About(msgspec.Struct, frozen=True):
    """
    What this console is for.

    :ivar name: of the broker that serves it.
    """

    name: str
    version: str


class SessionRequests:
    """Signs in and out."""

    def __init__(
        self, sessions: Sessions, lifetime: float, about: About, set_cookie: SetCookie
    ) -> None:
        self._sessions = sessions
        self._lifetime = int(lifetime)
        self._about = about
        self._set_cookie = set_cookie

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        path = "/api/session"
        return (
            Route(
                method="GET",
                path=path,
                handle=lambda _: self._about,
                summary="What this console is, for those who are signed in.",
                result=About,
            ),
            Route(
                method="POST",
                path=path,
                handle=self.sign_in,
                summary="Sign in with the token.",
                body=SignIn,
                result=SignedIn,
                is_open=True,
                largest=2048,
            ),
            Route(
                method="DELETE",
                path=path,
                handle=self.sign_out,
                summary="Sign out.",
                result=Done,
            ),
        )

    def sign_in(self, call: Call) -> SignedIn:
        """Start a session. :raises HttpError: the token is wrong."""
        request = call.request
        session = self._sessions.sign_in(call.body.token, request.asker)
        self._set_cookie(request, session.cookie, self._lifetime)
        return SignedIn(session.key, self._lifetime)

    def sign_out(self, call: Call) -> Done:
        """End the session."""
        request = call.request
        if request.session is not None:
            self._sessions.end(request.session)
        self._set_cookie(request, "", 0)
        return Done()
