"""
The console: a web page about a cluster, served by a broker's process on its own port.

It is off unless asked for, and imported only then. It reaches name servers and brokers
as any other client does, by an :class:`~rocketmq_tw.admin.AdminClient`::

    browser  <- HTTP ->  web (requests, checks, sessions)  ->  api (routes)  ->  admin
                         static (the page: modules, styles)     history (plots)

Nothing of the page comes from another site, and nothing has to be built.
"""
