"""
Master, slave and name servers that cannot reach each other for a while.

    python -m tests.longrun.partition [--seconds 60] [--only NAME ...] [--list]

Two name servers, a master and its slave are programs of their own (``twistd``). What
one of them sends to another passes through a byte proxy (:mod:`.proxy`), a process that
can hold, delay, reset or refuse connections. Which of them:

::

    master  --master-names-N-->  name server N
    slave   --slave-names-N--->  name server N
    slave   --requests-------->  master's service, as do clients with routes
    slave   --log------------->  master's HA port

The master advertises 127.0.0.2, where the proxy listens. Meanwhile somebody sends to
the master directly, and writes down what is acknowledged (:mod:`.load`); a producer and
a consumer that ask the name servers for routes do so too.

Each scenario (:mod:`.scenarios`) breaks something for some time, says what has to be
noticed and when, and ends only when all is as before. In the end every acknowledged
message stands in the logs of both brokers, which are equal byte by byte.
"""
