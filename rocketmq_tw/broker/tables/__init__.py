"""What a broker knows beside its messages: topics, groups, offsets, clients, locks."""
