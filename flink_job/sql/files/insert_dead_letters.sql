-- Which messages were not counted, and why? Each with the bytes that it came with.
INSERT INTO dead_letters (topic, `partition`, `offset`, reason, payload)
SELECT topic, `partition`, `offset`, outcome, payload
FROM judged
WHERE outcome <> 'counted'
