"""The same messages through what else one might use, measured side by side: `make peers`.

One folder a peer. Each reads the topics of the contract from their beginning, and writes windows
and dead letters to topics of its own; the rest of this package starts it, measures it and holds its
results against the specification.
"""
