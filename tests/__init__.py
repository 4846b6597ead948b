"""The tests; the folders mirror rocketmq_tw file for file."""
