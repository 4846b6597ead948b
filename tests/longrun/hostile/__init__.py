"""
Attacks on running programs: nothing that one peer sends may stop the others.

    python -m tests.longrun.hostile [--programs together apart tls] [--only PART]
                                    [--large] [--list] [--busy N] [--clients] [--days]

Each attack is a small function in a table (:mod:`.attacks`); it runs in a process of
its own, against ``twistd rocketmq``, and against a name server and a broker that are
two processes. Meanwhile

* a probe sends a trivial request to the broker and to the name server every 10 ms
  (:mod:`.probe`), and the same request to a process that nobody attacks;
* a bystander sends and consumes messages with our client (:mod:`.bystander`).

An attack fails when the probe waited more than 200 ms, when the servers grew beyond the
attack's budget, when a traceback or more than a line of a kind a minute was logged,
when the bystander misses an acknowledged message, or saw one out of order. In the end
the servers are restarted, and everything that was acknowledged has to be there.

With ``--programs tls`` the attackers use TLS; the servers accept it beside plain
connections. ``--large`` runs attacks of large numbers instead (:mod:`.attacks.large`),
in which others are compared with those of a server that nobody attacks.

Our client is attacked too, by a broker that follows a script (:mod:`.scripted`,
:mod:`.clients`). A broker also lives through hard days (:mod:`.days`): a clock that is
set, files that are gone or damaged.

**What the machine does to the probe is not counted.** The kernel counts for how long a
thread was ready to run while other processes had the processors (``schedstat``). That
time, of the reactor's thread and of the probe's, is subtracted from each wait. So is
that of another thread of theirs, unless the reactor worked meanwhile: when a thread
that has the interpreter gets no processor, the reactor does not run either, and is not
ready to (seen: 2 ms of work took 119). From the longest of these is subtracted how long
the process that nobody attacks kept its own probe waiting within a second of it. What
is left is the server's own doing.

**A busy machine** is one with ``--busy N``: N processes that never sleep run beside all
others from the first attack to the last (:mod:`.busy`). The default is none. With as
many as there are processors, every program has to share its processor all the time.
The limit stays 200 ms; what the hungry processes take is not counted, as said above.
"""
