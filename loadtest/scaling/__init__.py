"""What more TaskManagers and more parallelism cost and give on the lab, and what follows from it.

It needs a lab that is installed, root, and its two cores for itself. Every TaskManager has the same
small share of a core, so that there is something to be gained by another one.
"""
