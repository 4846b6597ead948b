"""The values of RocketMQ: frozen structs that know neither bytes nor I/O."""
