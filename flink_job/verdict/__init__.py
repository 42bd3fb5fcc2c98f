"""The pages of Java that judge messages by the contract, and their build without a JDK."""

from flink_job.verdict.build import verdict_jar

__all__ = ["verdict_jar"]
