-- The outcome of each message. A materialized view sees a block at a time and has no state, so that
-- lateness is judged by the append time alone: what a partition's clock is while nothing lags.
CREATE MATERIALIZED VIEW peer.judge TO peer.judged AS
WITH
  ifNull(message, '') AS text,
  JSONExtract(
    text,
    'Tuple(userId Nullable(String), productId Nullable(String), eventType Nullable(String), timestamp Nullable(String))'
  ) AS event,
  event.4 AS time,
  toInt64OrZero(ifNull(time, '')) AS event_time
SELECT
  topic,
  partition,
  offset,
  message,
  ifNull(event.2, '') AS product_id,
  ifNull(event.3 = 'click', false) AS click,
  event_time - positiveModulo(event_time, 10000) AS window_start,
  multiIf(
    NOT isValidUTF8(text) OR JSONType(text) <> 'Object' OR NOT isValidJSON(text), 'malformed',
    trim(BOTH ' ' FROM time) <> '' AND toString(event_time) <> time, 'malformed',
    ifNull(trim(BOTH ' ' FROM event.1), '') = ''
      OR ifNull(trim(BOTH ' ' FROM event.2), '') = ''
      OR ifNull(trim(BOTH ' ' FROM event.3), '') = ''
      OR ifNull(trim(BOTH ' ' FROM time), '') = '', 'missing_field',
    event.3 NOT IN ('impression', 'view', 'click'), 'unknown_type',
    event_time > appended + 60000, 'future_timestamp',
    event_time < appended - 604800000, 'old_timestamp',
    window_start + 20000 <= appended, 'late',
    'counted'
  ) AS outcome
FROM peer.messages
