"""`make screenshots`: pictures of all pages of a fleet, into a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitoring.pages import InventoryError, addresses, listed
from monitoring.pictures.browser import PictureError, chromium, picture_of


def take(inventory: Mapping[str, Any], into: Path, only: str | None) -> list[str]:
    """Take the pictures of all views, each to a file of its name; what went wrong, a sentence each.

    Args:
        inventory: What `ansible-inventory --list` prints.
        into: The folder of the pictures.
        only: The name of one view; None for all.

    Raises:
        PictureError: There is no browser, or no view of that name.
    """
    wanted = [
        (address, view)
        for page, address in addresses(inventory)
        for view in page.views
        if only in (None, view.name)
    ]
    if not wanted:
        raise PictureError(f"No page of this inventory has a view {only or ''}".rstrip() + ".")
    into.mkdir(parents=True, exist_ok=True)
    wrong = []
    with chromium() as browser:
        for address, view in wanted:
            try:
                picture = picture_of(browser, address, view)
            except PictureError as problem:
                wrong.append(str(problem))
                continue
            file = into / f"{view.name}.png"
            file.write_bytes(picture.png)
            print(f"{file}  {address}{view.path}")  # noqa: T201 - the command's output
    return wrong


def main() -> int:
    """Run from the command line; the exit status: 0 only if there is a picture of everything."""
    parser = argparse.ArgumentParser(prog="monitoring.pictures", description=__doc__)
    parser.add_argument("--inventory", type=Path, required=True, help="the fleet's inventory")
    parser.add_argument("--into", type=Path, required=True, help="the folder of the pictures")
    parser.add_argument("--only", help="the name of one view, such as flink")
    options = parser.parse_args()
    try:
        wrong = take(listed(options.inventory), options.into, options.only)
    except (InventoryError, PictureError) as problem:
        wrong = [str(problem)]
    for sentence in wrong:
        print(sentence, file=sys.stderr)  # noqa: T201 - the command's output
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
