-- Which windows have grown since a moment?
SELECT product_id, window_start, sum(impressions) AS impressions, sum(clicks) AS clicks
FROM peer.windows
GROUP BY product_id, window_start
HAVING max(updated) >= fromUnixTimestamp64Milli({since})
FORMAT JSONEachRow
