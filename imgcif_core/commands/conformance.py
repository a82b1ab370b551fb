"""`imgcif conformance`: the suite on this or another tool."""

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif conformance`."""
    parser.add_argument("action", choices=("list", "run", "smoke", "tools", "harness"), help="what to do")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see `imgcif conformance run --help`")


def run(given: argparse.Namespace) -> int:
    """Run the conformance suite, or answer its requests."""
    from imgcif_core import conformance_run

    if given.action == "harness":
        return conformance_run.harness(sys.stdin, sys.stdout)
    if given.action == "run" and not conformance_run.has_images():
        sys.stderr.write("imgcif conformance: without the extra `images`, cases about images and HDF5 files fail\n")
    return conformance_run.run([given.action, *given.arguments])
