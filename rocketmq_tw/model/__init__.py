"""The nouns of RocketMQ: frozen values that know neither bytes nor I/O."""
