"""
Finds out what is wrong with a cluster, and says it in plain words.

``examination`` asks the servers in order and passes what they say to the others, which
only judge it: ``servers`` name servers and brokers, ``routes`` why a topic has no
route, ``consumers`` groups and dead letters. Each fault has a word of its own, which
scripts can look for; :data:`rocketmq_tw.admin.doctor.finding.FAULTS` lists them.
"""
