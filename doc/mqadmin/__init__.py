"""
Writes ``doc/howto/mqadmin.rst``: every command of ``mqadmin``, and what it does here.

``python -m doc.mqadmin`` writes it from ``tests/interop/mqadmin/``, whose
expectations ``python -m tests.interop.mqadmin_table`` checks against Apache RocketMQ.
"""
