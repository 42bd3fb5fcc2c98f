"""What commands that measure have in common: their numbers, their words, and how they are ended."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType


def whole(text: str) -> int:
    """A whole number above 0, as an argument's type.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text}")
    return int(text)


def say(line: str) -> None:
    """Tell of the progress at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def end_as_by_keyboard(*signals: signal.Signals) -> None:
    """Let these end the process as Ctrl-C does, so that everything is put back."""
    for number in signals:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup has reasons
            signal.signal(number, interrupted)


def interrupted(_: int, __: FrameType | None) -> None:
    """What these signals call.

    Raises:
        KeyboardInterrupt: Always.
    """
    raise KeyboardInterrupt
