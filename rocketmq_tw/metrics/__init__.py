"""
What servers count, for Prometheus: a page of text over HTTP.

Nothing here is imported while metrics are off. A part of a server *collects*: when the
page is asked for, it looks at its tables in short steps and sets what has changed in
its :class:`~rocketmq_tw.metrics.family.Family` objects, which keep their lines encoded.
So a page costs what has changed since the last one, and on the path of a message there
is nothing but the counters that the server has anyway.

Names and labels are those of Apache RocketMQ 5 where it has them, so that its
dashboards work; see ``doc/howto/metrics.rst``.
"""
