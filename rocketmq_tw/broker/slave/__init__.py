"""What a slave does besides copying the log of its master."""
