"""`make benchmark`: what the installed lab carries, how fast, and what each event costs.

Steps of constant load and a drain of a backlog, one after the other. Kafka's offsets and the
ledger say how many events there were, a probe on the monitoring host how long they took to become
rows, the control groups of the lab's hosts what they cost. Nothing is measured by what is measured.
"""
