"""The page of Java that gives rules 1 to 5 of the contract, and its build without a JDK."""

from flink_job.verdict.build import verdict_jar

__all__ = ["verdict_jar"]
