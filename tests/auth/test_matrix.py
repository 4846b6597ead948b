"""Policies decide as an oracle does that shares nothing with them."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.policies import Acl, parse_acl
from rocketmq_tw.model.access import Action, Need, ResourceKind
from tests.auth import matrix
from tests.auth.matrix import Case, Rule


def decision(acl: Acl, case: Case) -> bool:
    """Ask the policies of a user."""
    kind, _, name = case.resource.partition(":")
    need = Need(ResourceKind(kind), name, tuple(map(Action, case.actions)))
    return bool(acl.decide(need, ip_address(case.address)))


class MatrixTests(SynchronousTestCase):
    """Users, resources, actions and addresses."""

    def test_every_case(self) -> None:
        """All combinations, of which many are allowed and many are not."""
        acls = {
            user: parse_acl(matrix.acl_text(rules)) if rules else Acl()
            for user, rules in matrix.USERS.items()
        }
        count: Counter[bool] = Counter()
        wrong = []
        for case in matrix.cases():
            if case.user in acls:
                expected = matrix.is_allowed(case)
                count[expected] += 1
                if decision(acls[case.user], case) != expected:
                    wrong.append(case)
        self.assertEqual(wrong, [])
        self.assertGreater(min(count[True], count[False]), 1000)

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(
        st.lists(
            st.builds(
                Rule,
                st.sampled_from(("Custom", "Default")),
                st.sampled_from(
                    ("*", "Topic:*", "Topic:a*", "Topic:ab*", "Topic:ab", "Group:a*")
                ),
                st.sets(st.sampled_from(("Pub", "Sub", "All")), min_size=1).map(tuple),
                st.booleans(),
                st.sampled_from(((), ("10.0.0.0/8",), ("10.1.2.3", "11.0.0.0/9"))),
            ),
            max_size=8,
            unique_by=lambda rule: (rule.policy, rule.resource),
        )
    )
    def test_any_rules(self, rules: list[Rule]) -> None:
        """Whatever the rules are."""
        acl = parse_acl(matrix.acl_text(rules)) if rules else Acl()
        for resource in ("Topic:a", "Topic:ab", "Topic:abc", "Topic:b", "Group:ab"):
            for actions in (("Pub",), ("Sub",), ("Pub", "Get"), ("Get",)):
                for address in ("10.1.2.3", "10.1.2.4", "11.200.0.1"):
                    case = Case("any", resource, actions, address)
                    expected = matrix.decided(rules, case)
                    self.assertEqual(decision(acl, case), expected, case)
