"""Whether a picture shows something."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

COLOURS = 16
# Of a page with one line of text about two pixels in a thousand are text.
MOST_OF_ONE_COLOUR = 0.998


def nothing_on_it_because(png: bytes) -> str | None:
    """Why a picture counts as empty, a clause; None where it shows something.

    Args:
        png: The picture.
    """
    with Image.open(BytesIO(png)) as image:
        pixels = image.width * image.height
        colours = image.convert("RGB").getcolors(maxcolors=pixels) or []
    most = max(number for number, _ in colours)
    if len(colours) < COLOURS:
        return f"it has no more than {len(colours)} colours"
    if most > MOST_OF_ONE_COLOUR * pixels:
        return f"{most / pixels:.1%} of it is of one colour"
    return None
