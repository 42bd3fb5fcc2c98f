-- Which messages were not counted, and why?
CREATE MATERIALIZED VIEW peer.write_letters TO peer.letters AS
SELECT topic, partition, offset, message, outcome, now64(3) AS written
FROM peer.judged
WHERE outcome <> 'counted'
