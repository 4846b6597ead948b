"""The commands of ``mqadmin`` that Apache's servers and ours are given alike."""
