-- Which dead letters have been written since a moment?
SELECT topic, partition, offset, base64Encode(message) AS message, outcome
FROM peer.letters
WHERE written >= fromUnixTimestamp64Milli({since})
FORMAT JSONEachRow
