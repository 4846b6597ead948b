"""Which requests the console responds to, and how it refuses the others."""

from __future__ import annotations

from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.errors import (
    AdminError,
    AlreadyExists,
    InvalidArgument,
    NotFound,
    NothingResponded,
    RefusedByAll,
)
from rocketmq_tw.console.web.site import (
    COOKIE,
    KEY_HEADER,
    SECURE_COOKIE,
    status_of,
)
from rocketmq_tw.model.errors import IllegalTopic
from tests.console.visits import (
    BEARER,
    TOKEN,
    HttpCase,
    Visits,
    Wire,
    request_bytes,
)


def logged(case: SynchronousTestCase) -> list[str]:
    """Return a list that gets the lines about refusals from now on."""
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        if "the console refused" in event.get("log_format", ""):
            lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    case.addCleanup(globalLogPublisher.removeObserver, observe)
    return lines


class PageTests(HttpCase):
    """The files of the page."""

    def test_page(self) -> None:
        """Everybody gets it: there is nothing in it; no other site may use it."""
        response = self.visits.request("GET", "/")
        self.assertEqual(response.status, 200)
        self.assertIn(b"<!doctype html>", response.body)
        policy = response.headers["content-security-policy"]
        self.assertIn("default-src 'none'; script-src 'self'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(response.headers["x-content-type-options"], "nosniff")

    def test_unchanged(self) -> None:
        """A file that the browser has is not sent again."""
        first = self.visits.request("GET", "/app.js")
        again = self.visits.request(
            "GET", "/app.js", If_None_Match=first.headers["etag"]
        )
        self.assertEqual((again.status, again.body), (304, b""))

    def test_head(self) -> None:
        """Only the headers are sent, if only these are asked for."""
        response = Wire(self.visits.parts)
        response.send(request_bytes("HEAD", "/app.js"))
        text = response.transport.value()
        self.assertIn(b"200 OK", text)
        self.assertTrue(text.endswith(b"\r\n\r\n"))

    def test_other_files(self) -> None:
        """What is no file of the page does not exist, wherever it leads."""
        for path in ("/config.py", "/../token.py", "/%2e%2e/token.py", "//etc/passwd"):
            self.assertEqual(self.visits.request("GET", path).status, 404, path)
        self.assertEqual(self.visits.request("POST", "/app.js", {}).status, 405)


class OriginTests(HttpCase):
    """Requests that other sites make a browser send."""

    settings = {"hosts": ("mq.example",)}

    def test_names(self) -> None:
        """Only names that are known may lead here; any address may."""
        for host, status in (
            ("127.0.0.1:8080", 200),
            ("[::1]:8080", 200),
            ("localhost:8080", 200),
            ("MQ.example", 200),
            ("evil.example", 421),
            ("localhost.evil.example", 421),
            (None, 421),
        ):
            response = self.visits.request("GET", "/", Host=host)
            self.assertEqual(response.status, status, host)

    def test_other_origin(self) -> None:
        """A request that another site causes is refused, even with the token."""
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:9999"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            response = self.visits.get("/api/session", **headers)
            self.assertEqual(response.status, 403, headers)
            self.assertIn("other sites", response.error)

    def test_no_text(self) -> None:
        """Headers that are no UTF-8 are refused like other wrong ones."""
        for headers, status in (
            ({"Host": "\xff"}, 421),
            ({"Origin": "http://\xff"}, 403),
            ({"Sec-Fetch-Site": "\xff"}, 403),
            ({"Authorization": "Bearer \xff"}, 401),
            ({"X-Console-Key": "\xff"}, 401),
        ):
            response = self.visits.request("GET", "/api/session", **headers)
            self.assertEqual(response.status, status, headers)

    def test_own_origin(self) -> None:
        """The page's own requests are not, nor is a link that leads to the page."""
        own = {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}
        self.assertEqual(self.visits.get("/api/session", **own).status, 200)
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        self.assertEqual(self.visits.request("GET", "/", **link).status, 200)


class SignInTests(HttpCase):
    """Who may ask for more than the page."""

    def sign_in(
        self, token: str = TOKEN, visits: Visits | None = None
    ) -> dict[str, str]:
        """Sign in; return the headers of a session."""
        response = (visits or self.visits).request(
            "POST", "/api/session", {"token": token}
        )
        self.assertEqual(response.status, 200, response.body)
        self.cookie = response.headers["set-cookie"]
        return {
            "Cookie": self.cookie.partition(";")[0],
            KEY_HEADER: response.json["key"],
        }

    def test_nobody(self) -> None:
        """Without signing in, there is nothing."""
        for path in ("/api/session", "/api/cluster", "/api/topics", "/api/history"):
            response = self.visits.request("GET", path)
            self.assertEqual((response.status, response.error), (401, "sign in first"))

    def test_session(self) -> None:
        """The cookie and the key are both needed; scripts never see the cookie."""
        headers = self.sign_in()
        self.assertTrue(self.cookie.startswith(f"{COOKIE}="))
        self.assertIn("HttpOnly; SameSite=Strict", self.cookie)
        self.assertEqual(
            self.visits.request("GET", "/api/session", **headers).status, 200
        )
        for name in headers:
            one = {name: headers[name]}
            status = self.visits.request("GET", "/api/session", **one).status
            self.assertEqual(status, 401, name)

    def test_secure(self) -> None:
        """By TLS, no other host and no plain connection can set the cookie."""
        visits = Visits(self.clock, None, is_secure=True)
        headers = self.sign_in(visits=visits)
        self.assertTrue(self.cookie.startswith(f"{SECURE_COOKIE}="))
        self.assertIn("; Secure", self.cookie)
        self.assertEqual(visits.request("GET", "/api/session", **headers).status, 200)

    def test_sign_out(self) -> None:
        """The session is over, for whoever has its secrets."""
        headers = self.sign_in()
        self.assertEqual(
            self.visits.request("DELETE", "/api/session", **headers).status, 200
        )
        status = self.visits.request("GET", "/api/session", **headers).status
        self.assertEqual(status, 401)

    def test_wrong_tokens(self) -> None:
        """After some, no more are compared for a minute; a line of each is logged."""
        lines = logged(self)
        body = {"token": "wrong"}
        self.visits.host = "203.0.113.1"
        for _ in range(5):
            response = self.visits.request("POST", "/api/session", body)
            self.assertEqual(
                (response.status, response.error), (401, "the token is wrong")
            )
        response = self.visits.request("POST", "/api/session", {"token": TOKEN})
        self.assertEqual(response.status, 429)
        self.assertEqual(response.headers["retry-after"], "61")
        self.assertEqual(
            [line.partition(": ")[2] for line in lines],
            ["the token is wrong", "wrong tokens came too often; try again in 61 s"],
        )
        self.clock.advance(61)
        self.sign_in()

    def test_wrong_bearer(self) -> None:
        """A wrong token of a program counts just so."""
        response = self.visits.get("/api/session", Authorization="Bearer wrong")
        self.assertEqual((response.status, response.error), (401, "the token is wrong"))


class RequestTests(HttpCase):
    """What is wrong with a request is said."""

    def test_refused(self) -> None:
        """Each with its status and a sentence."""
        for method, path, body, headers, status, text in (
            ("GET", "/api/nothing", None, {}, 404, "nothing at /api/nothing"),
            ("DELETE", "/api/topics", None, {}, 405, "takes GET, not DELETE"),
            ("GET", "/api/topics?size=1", None, {}, 400, "no field size"),
            ("GET", "/api/topics?limit=0", None, {}, 400, "`int` >= 1"),
            ("GET", "/api/topics?limit=1&limit=2", None, {}, 400, "twice"),
            ("GET", "/api/topics?search=%ff", None, {}, 400, "cannot be read"),
            ("GET", "/api/topics?search=" + "a" * 5000, None, {}, 414, "4096"),
            ("POST", "/api/session", {"tokens": 1}, {}, 400, "unknown field `tokens`"),
            ("POST", "/api/session", [1], {}, 400, "Expected `object`"),
            ("GET", "/api/session", {"a": 1}, {}, 400, "takes no body"),
            (
                "POST",
                "/api/session",
                {"token": "t"},
                {"Content-Type": "text/plain"},
                415,
                "application/json",
            ),
        ):
            response = self.visits.request(
                method, path, body, Authorization=f"Bearer {TOKEN}", **headers
            )
            self.assertEqual(response.status, status, (path, response.body))
            self.assertIn(text, response.error)

    def test_broken_json(self) -> None:
        """What is no JSON is refused, also if it is nested without end."""
        for content in (b"{", b"[" * 2000, b'{"token":"\xff"}'):
            wire = Wire(self.visits.parts)
            wire.send(request_bytes("POST", "/api/session", content))
            response = wire.read()
            assert response is not None
            self.assertEqual(response.status, 400)
            self.assertIn("the body cannot be used", response.error)


class RefusalTests(HttpCase):
    """Each request that changes something, when it may not be made."""

    settings = {"max_body": 300_000}

    def each(self, status: int, text: str, **headers: str | None) -> None:
        """Send all; they are refused, and that is logged for each minute."""
        changing = [each for each in self.visits.parts.site.routes if each.body]
        changing += [r for r in self.visits.parts.site.routes if r.method == "DELETE"]
        self.assertGreater(len(changing), 10)
        for route in changing:
            if route.is_open and status == 401:
                continue
            lines = logged(self)
            body = b"{}" if route.body else b""
            if status == 413:
                body = b"[%b]" % (b" " * 300_000)
            wire = Wire(self.visits.parts, "203.0.113.1")
            wire.send(request_bytes(route.method, route.path, body, **headers))
            response = wire.read()
            assert response is not None
            self.assertEqual((response.status, lines), (status, lines[:1]), route.path)
            self.assertIn(text, response.error)
            self.assertEqual(
                lines[0],
                f"the console refused {route.method} {route.path} of 203.0.113.1"
                f" ({status}): {response.error}",
            )
            self.clock.advance(61)

    def test_nobody(self) -> None:
        """By nobody who has signed in."""
        self.each(401, "sign in first")

    def test_other_site(self) -> None:
        """By a browser that shows another site."""
        for name, value in (
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "cross-site"),
        ):
            self.each(403, "other sites", **{name: value, "Authorization": BEARER})

    def test_other_name(self) -> None:
        """By a name that somebody lets lead here."""
        self.each(421, "not known", Host="evil.example", Authorization=BEARER)

    def test_too_large(self) -> None:
        """With a body that is larger than any may be."""
        self.each(413, "300000 bytes", Authorization=BEARER)

    def test_one_kind_hides_no_other(self) -> None:
        """One whose session has ended asks often; a forged request is logged still."""
        lines = logged(self)
        for _ in range(3):
            self.visits.request("GET", "/api/topics")
        self.visits.get("/api/topics", Origin="https://evil.example")
        self.visits.get("/api/topics", Authorization="Bearer wrong")
        self.visits.get("/api/topics?search=" + "a" * 5000)
        self.assertEqual(
            [line.partition(" of ")[2].partition(":")[0] for line in lines],
            [
                "127.0.0.1 (401)",
                "127.0.0.1 (403)",
                "127.0.0.1 (401, signing in)",
                "127.0.0.1 (414)",
            ],
        )


class StatusTests(SynchronousTestCase):
    """Whose fault it is."""

    def test_status(self) -> None:
        """That of who asks, that of the state of the cluster, or that of servers."""
        for error, status in (
            (InvalidArgument("no permission"), 400),
            (IllegalTopic("or ders", "it has a blank"), 400),
            (NotFound("topic", "orders"), 404),
            (AlreadyExists("topic", "orders"), 409),
            (AdminError("consumers are connected"), 409),
            (RefusedByAll("nothing is changed", {}), 502),
            (NothingResponded("nothing is changed", {}), 502),
        ):
            self.assertEqual(status_of(error), status, error)
