"""The simple consumer: it pops messages and acknowledges them one by one."""
