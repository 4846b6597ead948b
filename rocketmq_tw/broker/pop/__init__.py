"""Pop: messages handed out for a time, and acknowledged one by one."""
