"""
SQL92 expressions over the properties of messages, as consumers subscribe with them.

:func:`~rocketmq_tw.filter.sql92.compiler.compile_sql` makes a
:class:`~rocketmq_tw.filter.sql92.compiler.SqlFilter` of a text, once; the filter is
then evaluated for each message. The language is that of RocketMQ, not of databases.
``doc/howto/filters.rst`` describes it, with what surprises.

Source: ``SelectorParser.jj`` and ``filter.expression`` of RocketMQ 5.
"""
