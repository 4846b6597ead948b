"""Passes replies on to the clients that wait for them."""
