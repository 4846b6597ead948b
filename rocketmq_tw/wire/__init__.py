"""The codec: converts between bytes and values."""
