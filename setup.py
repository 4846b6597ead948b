"""Packages of rocketmq_tw, and the twistd plugin that lies beside them."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["rocketmq_tw", "rocketmq_tw.*"]),
        "twisted.plugins",
    ],
    package_data={
        "rocketmq_tw": ["py.typed"],
        "rocketmq_tw.console": ["static/*"],
        "twisted.plugins": ["rocketmq_plugins.py"],
    },
    # Spelt out, else an editable install leaves the plugin folder off the path.
    package_dir={"": "."},
)
