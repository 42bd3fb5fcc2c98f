-- A batch of messages, which the views judge and count as it is inserted.
INSERT INTO peer.messages (topic, partition, offset, appended, message)
SELECT topic, partition, offset, appended, message
FROM Python(batch)
