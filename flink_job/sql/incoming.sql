-- What is a message to be judged by? In this order by Judge.java, whose view `judged` has a row for
-- each message: its outcome, and the columns that the results are made of.
SELECT message, topic, `partition`, `offset`, append_time
FROM incoming
