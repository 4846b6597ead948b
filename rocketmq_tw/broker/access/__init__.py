"""
Who may send which request to a broker.

Only :mod:`~rocketmq_tw.broker.access.settings` and
:mod:`~rocketmq_tw.broker.access.feature` are imported without access control.
"""
