"""``python -m rocketmq_tw.tls check HOST:PORT``: what is wrong with a server's TLS."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TextIO

from rocketmq_tw.clock import time_of_day
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.tls.check import check
from rocketmq_tw.tls.settings import INSECURE, Tls


def main(words: Sequence[str], output: TextIO) -> int:
    """
    Run a command line, and print what is found.

    :returns: the exit code: 0 if clients are served by TLS, 1 if not, 2 for mistakes.
    """
    given = _parser().parse_args(words)
    host, _, port = given.address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        print(f'"{given.address}" is not HOST:PORT', file=output)
        return 2
    tls = Tls(
        ca_file=given.ca,
        certificate=given.cert,
        key=given.key,
        key_password=given.key_password,
        server_name=given.name,
        verify=INSECURE if given.none_insecure else "full",
    )
    try:
        lines = check(host.strip("[]"), int(port), tls, time_of_day())
    except RocketMQError as error:
        print(error, file=output)
        return 2
    for line in lines:
        print("ok     " if line.is_good else "PROBLEM", line.text, file=output)
    return 0 if all(line.is_good for line in lines) else 1


def _parser() -> argparse.ArgumentParser:
    """Return what parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m rocketmq_tw.tls")
    commands = parser.add_subparsers(required=True, metavar="check")
    dial = commands.add_parser(
        "check", help="dial a name server or broker, and say what is wrong with its TLS"
    )
    dial.add_argument("address", metavar="HOST:PORT")
    dial.add_argument("--ca", help="file of the authorities to trust")
    dial.add_argument("--cert", help="file of the client's certificate")
    dial.add_argument("--key", help="file of its private key")
    dial.add_argument("--key-password", help="pass phrase of that key")
    dial.add_argument("--name", help="name to expect instead of HOST")
    dial.add_argument(
        f"--{INSECURE}", action="store_true", help="do not verify the certificate"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
