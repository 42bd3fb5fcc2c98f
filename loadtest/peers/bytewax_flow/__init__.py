"""Bytewax: a flow of steps in Python on a runtime in Rust."""
