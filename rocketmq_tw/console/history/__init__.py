"""What the plots show: samples of rates and lags, of the last hours, in memory."""
