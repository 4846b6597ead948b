"""What the pages of users and their permissions in Apache's dashboard ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .lab import OURS, Lab
from .program import wait_until
from .test_access import ADMIN, PROVIDERS, USERS
from .test_rocketmq_admin import Admin

#: Of policies without any the dashboard cannot show the list, of Apache's either.
_IPS = ["10.0.0.2"]
_WHERE = {"clusterName": "DefaultCluster", "brokerName": None}
BOB = "User:bob"
#: The lists, which are asked for after each change.
LISTS = (
    "acl/users.query clusterName",
    "acl/acls.query clusterName",
    "acl/acls.query brokerName searchParam=subject",
)


def _user(**fields: str) -> dict[str, Any]:
    """Return what the form of a user sends."""
    return {**_WHERE, "userInfo": {"username": "bob", **fields}}


def _policy(*resources: str, kind: str = "Custom", **fields: Any) -> dict[str, Any]:
    """Return what the form of permissions sends."""
    entry = {"resource": resources, "decision": "Allow", **fields}
    policies = [{"policyType": kind, "entries": [entry]}]
    return {**_WHERE, "subject": BOB, "policies": policies}


#: A method, a page with the words that it names, and its body.
STEPS: tuple[tuple[str, str, Any], ...] = (
    (
        "POST",
        "acl/createUser.do",
        _user(password="secret-of-bob", userType="Normal", userStatus="enable"),
    ),
    # A password that is not typed is not sent.
    ("POST", "acl/updateUser.do", _user(userType="Normal", userStatus="disable")),
    (
        "POST",
        "acl/createAcl.do",
        _policy("Topic:Shown", "Group:Shown", actions=["Pub", "Sub"], sourceIps=_IPS),
    ),
    (
        "POST",
        "acl/createAcl.do",
        _policy("Topic:*", kind="Default", actions=["Sub"], sourceIps=["10.0.0.0/8"]),
    ),
    (
        "POST",
        "acl/updateAcl.do",
        _policy("Topic:Shown", actions=["All"], sourceIps=["10.0.0.1"]),
    ),
    ("DELETE", "acl/deleteAcl.do clusterName subject resource", None),
    ("DELETE", "acl/deleteAcl.do clusterName subject", None),
    ("DELETE", "acl/deleteUser.do clusterName username", None),
)
_WORDS = {
    "clusterName": "DefaultCluster",
    "subject": BOB,
    "resource": "Group:Shown",
    "username": "bob",
}


def users_shown(make: str, scratch: Path, start: Any) -> dict[str, Any]:
    """
    Run a cluster with access control, and the dashboard as its administrator.

    :param start: starts the dashboard of a name server, in a folder, with options.
    :returns: the responses to all pages, by what was done before.
    """
    lab = Lab(scratch / f"{make}-users")
    dashboard = None
    try:
        names = lab.name_server(make)
        lab.broker(make, names, **USERS, **({} if make == OURS else PROVIDERS))
        signed = {"accessKey": ADMIN["user"], "secretKey": ADMIN["password"]}
        options = {f"rocketmq.config.{name}": word for name, word in signed.items()}
        admin = Admin(names.address)
        # The dashboard asks once, and goes on with what it gets.
        wait_until(lambda: admin.json("broker", "list"), 60, "the registration")
        [broker] = admin.json("broker", "list")
        dashboard = start(names.address, scratch / f"{make}-users", options)
        words = {**_WORDS, "brokerName": broker["name"]}
        found = {}
        for number, (method, page, body) in enumerate(STEPS):
            found[f"{number} {page}"] = dashboard.change(page, body, words, method)
            for each in LISTS:
                found[f"{number} {each}"] = without_secrets(dashboard.ask(each, words))
        return found
    finally:
        if dashboard is not None:
            dashboard.end()
        lab.close()


def without_secrets(response: Any) -> Any:
    """Return a list without passwords, which ours does not show, in one order."""
    if not isinstance(response, dict) or not isinstance(response.get("data"), list):
        return response
    entries = [
        {name: value for name, value in each.items() if name != "password"}
        for each in response["data"]
    ]
    return {**response, "data": sorted(entries, key=str)}


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """Return where the pages of users do not show the same."""
    return [
        f"{page}: {ours[page]!s:.300} and not {response!s:.300}"
        for page, response in theirs.items()
        if ours[page] != response
    ]
