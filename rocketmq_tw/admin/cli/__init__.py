"""
``rocketmq-admin``: the command line, noun first.

``main`` lists the nouns; each has a module with its commands, imported when the noun is
used. ``options`` says which cluster is meant, ``running`` runs a command in the reactor
and turns errors into exit codes, ``output`` prints tables for people and JSON for
programs. Neither the reactor nor the library that draws tables is imported before it is
needed: most commands answer within a quarter of a second.
"""
