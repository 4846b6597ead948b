"""Messages delivered some time after they were sent: the delay levels."""
