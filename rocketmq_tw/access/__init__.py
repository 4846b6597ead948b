"""
Access control that brokers and name servers have in common.

Nothing here is imported without access control, but for
:mod:`~rocketmq_tw.access.secrets`.
"""
