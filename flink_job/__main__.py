"""`python -m flink_job`: the commands of the job."""

from __future__ import annotations

import argparse
import signal
import sys

INTERRUPTED = 128 + signal.SIGINT


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status."""
    try:
        # Here, since importing takes long enough to be interrupted.
        from flink_job import replay  # noqa: PLC0415

        parser = argparse.ArgumentParser(prog="python -m flink_job", description=__doc__)
        commands = parser.add_subparsers(required=True, metavar="COMMAND")
        command = commands.add_parser("replay", help=replay.__doc__, description=replay.__doc__)
        replay.add_arguments(command)
        command.set_defaults(run=replay.replay)
        chosen = parser.parse_args(arguments)
        status: int = chosen.run(chosen)
    except KeyboardInterrupt:
        sys.stderr.write(
            "Interrupted: each file that was asked for is whole, or as it was before.\n"
        )
        return INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main())
