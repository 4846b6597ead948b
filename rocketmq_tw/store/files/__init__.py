"""The files of a store: the disk, segments, windows, reads, locks."""
