"""HTTP of the console: connections, requests, what is checked before all else."""
