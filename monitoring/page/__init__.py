"""The CTR page: the numbers as those who use them look at them."""
