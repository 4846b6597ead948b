"""The codec: bytes <-> values."""
