"""What the doctor finds: a fault, its subject, a sentence and an advice."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec


class Severity(StrEnum):
    """How bad it is."""

    #: Something does not work.
    FAULT = "fault"
    #: Something will not work soon, or works otherwise than people expect.
    WARNING = "warning"
    #: Good to know.
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True):
    """
    One finding.

    :ivar fault: its word, one of :data:`FAULTS`.
    :ivar subject: which server, topic or group it is about.
    :ivar sentence: what is wrong.
    :ivar advice: what to do.
    """

    severity: Severity
    fault: str
    subject: str
    sentence: str
    advice: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether it is more than a note."""
        return self.severity is not Severity.NOTE


#: The words of all faults, and how bad each is.
FAULTS: Final[Mapping[str, Severity]] = {
    "name-server-unreachable": Severity.FAULT,
    "no-brokers": Severity.FAULT,
    "name-servers-differ": Severity.FAULT,
    "broker-unreachable": Severity.FAULT,
    "loopback-advertised": Severity.WARNING,
    "access-denied": Severity.FAULT,
    "no-master": Severity.FAULT,
    "clock-differs": Severity.WARNING,
    "disk-full": Severity.FAULT,
    "disk-fills": Severity.WARNING,
    "store-failed": Severity.FAULT,
    "dispatch-behind": Severity.WARNING,
    "timers-late": Severity.WARNING,
    "sends-wait": Severity.WARNING,
    "slave-behind": Severity.WARNING,
    "versions-differ": Severity.NOTE,
    "no-route-unknown": Severity.FAULT,
    "no-route-other-name-server": Severity.FAULT,
    "no-route-not-registered": Severity.FAULT,
    "no-route-not-writable": Severity.FAULT,
    "no-route-no-master": Severity.FAULT,
    "subscriptions-differ": Severity.FAULT,
    "consuming-forbidden": Severity.FAULT,
    "consumer-stands-still": Severity.FAULT,
    "lag-grows": Severity.WARNING,
    "nobody-consumes": Severity.WARNING,
    "too-many-consumers": Severity.NOTE,
    "dead-letters": Severity.WARNING,
    "not-examined": Severity.WARNING,
}


def finding(fault: str, subject: str, sentence: str, advice: str = "") -> Finding:
    """Return a finding; its severity is that of the fault."""
    return Finding(FAULTS[fault], fault, subject, sentence, advice)
