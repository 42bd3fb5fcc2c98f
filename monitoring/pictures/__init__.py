"""Pictures of the pages, taken by a browser without a screen once they show what they should."""
