"""Which product each event is of: Zipf's law, held as well as whole draws can. Pure."""

from __future__ import annotations

import random
from array import array

MOST_PRODUCTS = 1_000_000
FEWEST_DRAWS = 20_000
DRAWS_A_PRODUCT = 10
MOST_SKEW = 10.0


def draws_for(products: int) -> int:
    """How many draws stand for this many products: enough for each, and a bounded number."""
    return min(max(FEWEST_DRAWS, DRAWS_A_PRODUCT * products), MOST_PRODUCTS)


def drawn(products: int, skew: float, draws: int, draw: random.Random) -> array[int]:
    """Products by their number from 0, in an order that comes round again and again.

    The draws are spread evenly over the weights instead of each for itself: a product has its share
    of them to within one draw, so that as many draws as products at even skew are all of them.

    Args:
        products: How many there are.
        skew: Zipf's exponent: the product of rank r has the weight r to the power of -skew.
        draws: How many draws.
        draw: Where all chance comes from.
    """
    total = sum(rank**-skew for rank in range(1, products + 1))
    first, step = draw.random(), total / draws
    numbers = array("I")
    reached = 0.0
    for number in range(products):
        reached += (number + 1) ** -skew
        whole = int(reached / step - first) + 1 if reached > first * step else 0
        numbers.extend([number] * (min(whole, draws) - len(numbers)))
    # What rounding has left over.
    numbers.extend([products - 1] * (draws - len(numbers)))
    draw.shuffle(numbers)
    return numbers
