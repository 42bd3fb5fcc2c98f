-- Rules 1 to 5 of the contract, see flink_job/verdict/Verdict.java.
CREATE TEMPORARY SYSTEM FUNCTION verdict AS 'Verdict' LANGUAGE JAVA
