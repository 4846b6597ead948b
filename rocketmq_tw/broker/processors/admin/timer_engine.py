"""
Says which engine delivers timed messages, to tools that want to choose one.

There is one: the timer's wheel. So a request for it succeeds, and others are refused.

Source: ``AdminBrokerProcessor.switchTimerEngine`` of RocketMQ 5.5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import SwitchTimerEngine

#: The wheel's letter.
_WHEEL = "F"


def install(broker: Broker, router: Router) -> None:
    """Register the handler."""
    TimerEngineProcessor(broker.config.timer_wheel_enable).routes(router)


class TimerEngineProcessor:
    """
    Handles requests for an engine.

    :param is_enabled: whether timed messages are accepted.
    """

    def __init__(self, is_enabled: bool) -> None:
        self._is_enabled = is_enabled

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(SwitchTimerEngine, self.switch)

    def switch(self, request: SwitchTimerEngine, call: Call) -> Response:
        """
        Do nothing if the wheel is asked for.

        :raises Refused: another engine is, or timed messages are not accepted.
        """
        if not self._is_enabled:
            why = "timed messages are not accepted: timerWheelEnable is false"
        elif request.engine == "R":
            why = "timed messages wait in the timer's wheel: there is no RocksDB here"
        elif request.engine != _WHEEL:
            why = f"E_T is {request.engine[:20]!r}; expected {_WHEEL}, for the wheel"
        else:
            return Response()
        raise Refused(ResponseCode.INVALID_PARAMETER, why)
