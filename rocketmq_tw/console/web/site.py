"""
What responds to requests: the page's files, and the routes under ``/api/``.

The order of the checks: where the request comes from, who sends it, how large it is;
then the route, its fields and its body. Whatever is refused is logged with a sentence,
of each kind once a minute for each host.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import iscoroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from rocketmq_tw.admin.errors import (
    AdminError,
    NotFound,
    NothingResponded,
    RefusedByAll,
    is_bad_input,
)
from rocketmq_tw.console.api.routes import (
    Call,
    Route,
    Routes,
    decode_body,
    decode_query,
)
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.errors import HttpError, WrongToken
from rocketmq_tw.console.web.assets import Asset
from rocketmq_tw.console.web.origins import Origins
from rocketmq_tw.console.web.proxies import Proxies
from rocketmq_tw.console.web.request import ConsoleRequest
from rocketmq_tw.console.web.sessions import Sessions
from rocketmq_tw.console.web.streams import Streams
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.peer_log import PeerLog

#: The cookie; the second name is for TLS, where browsers then refuse it from others.
COOKIE, SECURE_COOKIE = "rocketmq_console", "__Host-rocketmq_console"
#: The header with the key of a session.
KEY_HEADER = "X-Console-Key"
_API = b"/api/"
#: The description of the others, which is a file.
OPENAPI = b"/api/openapi.json"
#: Bytes of a body before anybody has signed in: a token.
_OPEN_BODY = 4096
#: What is logged of a refusal, by its status. Each is a kind of its own: one whose
#: session has ended is refused often, and must not hide who tries to forge requests.
_REFUSED = {
    status: f"the console refused {{what}} of {{peer}} ({status}): {{why}}"
    for status in (401, 403, 413, 414, 415, 421, 429)
}
#: What is logged of a wrong token; without one anybody comes who loads the page.
_REFUSED_TOKEN = "the console refused {what} of {peer} (401, signing in): {why}"


class Site:
    """
    Responds to requests.

    :param assets: the files of the page.
    :param is_secure: whether all connections are by TLS.
    :ivar sessions: who is signed in.
    :ivar proxies: whose word is taken for who sends a request.
    :ivar routes: what is under ``/api/``.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        config: ConsoleConfig,
        *,
        assets: Mapping[str, Asset],
        sessions: Sessions,
        peers: PeerLog,
        is_secure: bool,
    ) -> None:
        self._clock = clock
        self._config = config
        self.routes = Routes(())
        self._assets = assets
        self.sessions = sessions
        self._origins = Origins(config.hosts)
        self.proxies = Proxies(config.proxies)
        self._peers = peers
        self._cookie = SECURE_COOKIE if is_secure else COOKIE
        self._streams = Streams(
            clock,
            config.max_tails,
            lambda request: sessions.is_current(request.session),
            self._failed,
        )

    def add(self, routes: Routes) -> None:
        """Set what is under ``/api/``."""
        self.routes = routes

    # -- before the body

    def admit(self, request: ConsoleRequest) -> int:
        """See :meth:`Handler.admit`."""
        self._origins.check(
            request.text_header("Host"),
            request.text_header("Origin"),
            request.text_header("Sec-Fetch-Site"),
            is_api=request.text_header("Sec-Fetch-Mode") != "navigate",
        )
        self._identify(request)
        return self._config.max_body if request.is_signed_in else _OPEN_BODY

    def _identify(self, request: ConsoleRequest) -> None:
        """Find out whether the sender is signed in."""
        kind, _, token = (request.text_header("Authorization") or "").partition(" ")
        if kind.lower() == "bearer":
            self.sessions.check_token(token.strip(), request.asker)
            request.is_signed_in = True
            return
        cookie = request.received_cookies.get(self._cookie.encode(), b"")
        key = request.text_header(KEY_HEADER) or ""
        request.session = self.sessions.find(cookie.decode("latin-1"), key)
        request.is_signed_in = request.session is not None

    # -- after it

    def respond(self, request: ConsoleRequest) -> None:
        """See :meth:`Handler.respond`."""
        try:
            if request.path.startswith(_API) and request.path != OPENAPI:
                self._respond_api(request)
            else:
                self._send_asset(request)
        except HttpError as error:
            self.refuse(request, error)

    def refuse(self, request: ConsoleRequest, error: HttpError) -> None:
        """See :meth:`Handler.refuse`."""
        self.report(request, error)
        request.send_error(error)

    def report(self, request: ConsoleRequest, error: HttpError) -> None:
        """See :meth:`Handler.report`."""
        text = _REFUSED.get(error.status)
        if isinstance(error, WrongToken):
            text = _REFUSED_TOKEN
        if text is not None:
            self._peers.emit(
                self._log,
                LogLevel.warn,
                request.asker,
                text,
                what=log_safe(request.what),
                peer=log_safe(request.asker),
                why=log_safe(error.why),
            )

    def _send_asset(self, request: ConsoleRequest) -> None:
        """Send a file of the page."""
        if request.method not in (b"GET", b"HEAD"):
            raise HttpError(405, "files are only read", allow="GET, HEAD")
        asset = self._assets.get(request.path.decode("latin-1"))
        if asset is None:
            raise HttpError(404, "there is no such file")
        request.setHeader("ETag", asset.etag)
        request.setHeader("Cache-Control", "no-cache")
        if request.text_header("If-None-Match") == asset.etag:
            request.send(304, b"", asset.content_type)
        else:
            request.send(200, asset.content, asset.content_type)

    def _respond_api(self, request: ConsoleRequest) -> None:
        """Call the handler of a route."""
        path = request.path.decode("latin-1")
        route = self.routes.find(request.method.decode("latin-1"), path)
        if not route.is_open and not request.is_signed_in:
            raise HttpError(401, "sign in first")
        call = Call(
            decode_query(request.query.decode("latin-1"), route.query),
            _body(request, route),
            request,
        )
        if route.is_stream:
            self._streams.start(request, lambda: self._call(route, call))
            return
        result = self._call(route, call)
        gone = request.notifyFinish()
        gone.addErrback(lambda _: result.cancel())
        result.addCallbacks(
            lambda value: request.send_json(200, value),
            lambda failure: self._failed(request, failure),
        )
        result.addErrback(
            lambda f: self._log.failure("a response of the console was not sent", f)
        )

    def _call(self, route: Route, call: Call) -> Deferred[Any]:
        """Return what a handler returns, as a Deferred that does not take too long."""

        def handle() -> Any:
            found = route.handle(call)
            return Deferred.fromCoroutine(found) if iscoroutine(found) else found

        return maybeDeferred(handle).addTimeout(
            self._config.response_timeout, self._clock, _too_late
        )

    def _failed(self, request: ConsoleRequest, failure: Failure) -> None:
        """Respond with the reason why there is no result."""
        if request.is_gone:
            if not failure.check(CancelledError, RocketMQError):
                self._log.failure("a request that was given up failed", failure)
            return
        error: Any = failure.value
        if isinstance(error, HttpError):
            self.refuse(request, error)
        elif isinstance(error, RocketMQError) or is_bad_input(error):
            request.send_error(HttpError(status_of(error), str(error)))
        else:
            self._log.failure("the console could not respond", failure)
            why = "the console failed; the log of its broker says how"
            request.send_error(HttpError(500, why))

    # -- cookies

    def set_cookie(self, request: ConsoleRequest, value: str, lifetime: int) -> None:
        """Let the browser keep the secret of a session; an empty one removes it."""
        secure = "; Secure" if self._cookie == SECURE_COOKIE else ""
        request.setHeader(
            "Set-Cookie",
            f"{self._cookie}={value}; Path=/; HttpOnly; SameSite=Strict;"
            f" Max-Age={lifetime}{secure}",
        )

    def stop(self) -> None:
        """End all streams."""
        self._streams.stop()


def _body(request: ConsoleRequest, route: Route) -> Any:
    """Return the body of a request, as its route expects it."""
    content = request.body()
    if route.body is None:
        if content:
            raise HttpError(400, f"{route.method} {route.path} takes no body")
        return None
    if len(content) > route.largest:
        raise HttpError(413, f"the body may have {route.largest} bytes")
    kind = (request.text_header("Content-Type") or "").partition(";")[0].strip()
    if kind.lower() != "application/json":
        raise HttpError(415, "expected a body of the type application/json")
    return decode_body(content, route.body)


def status_of(error: BaseException) -> int:
    """Return the status of HTTP for what an administrator's request raises."""
    if is_bad_input(error):
        return 400
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, RefusedByAll | NothingResponded):
        return 502
    # It exists already, or is not as it would have to be.
    return 409 if isinstance(error, AdminError) else 502


def _too_late(_result: object, seconds: float) -> Failure:
    """Return the failure of a request that took too long."""
    why = f"name servers or brokers did not respond within {seconds:g} s"
    return Failure(HttpError(504, why))
