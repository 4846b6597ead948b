"""
Access control: who sends a request, and may they.

Values and functions without I/O. The guards that use them are
:mod:`rocketmq_tw.broker.access`; nothing here is imported without access control.
"""
