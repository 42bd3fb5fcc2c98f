"""`python -m flink_job`: the commands of the job."""

from __future__ import annotations

import argparse
import sys

from flink_job import replay


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m flink_job", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("replay", help=replay.__doc__, description=replay.__doc__)
    replay.add_arguments(command)
    command.set_defaults(run=replay.replay)
    chosen = parser.parse_args(arguments)
    status: int = chosen.run(chosen)
    return status


if __name__ == "__main__":
    sys.exit(main())
