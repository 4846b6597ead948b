"""
How fast the broker is, beside Apache's and beside the least that is possible.

::

    python -m tests.bench                      # ours against the floor
    python -m tests.bench --apache             # and against Apache's broker
    python -m tests.bench --apache --write doc/speed-figures.txt
    python -m tests.bench --only sync --shapes 64x1 --rounds 3 --seconds 1

What is measured, by the names of ``--only``:

- ``send``, ``sync``: five ways to send, with ``ASYNC_FLUSH`` and with ``SYNC_FLUSH``;
- ``pull``: two ways to read;
- ``replication``: what a slave costs, sends that wait for it, and an empty slave;
- ``client``: our client library beside Apache's, with either's programs;
- ``growth``: sends beside topics, offsets, held pulls, connections and a store that
  grow;
- ``rest``: start-up, and what a server takes that has nothing to do;
- ``tls``, ``acl``: sends by TLS and signed sends, beside plain ones. Both need the
  headers of OpenSSL, and are measured only when they are named;
- ``pop``, ``transactions``, ``timers``, ``reply``: pops, transactions, timed messages,
  requests and their replies; they are measured only when they are named, too.

The servers run side by side and are driven in turn, round after round; what is printed
are medians, and medians of the rounds' ratios. Rates of two runs cannot be compared,
ratios can. It needs a C compiler; with ``--apache`` also Java 17 and Maven.
"""
