import assert from 'node:assert/strict';
import { test } from 'node:test';

import { moved, rangeOf, refreshOf, spanOf, widened, written } from '../src/time';

const range = rangeOf('1764000000000', '1764000060000', 'utc');

test('milliseconds are a range, and are written as they were read', () => {
  assert.deepEqual(spanOf(range), { from: 1_764_000_000, to: 1_764_000_060 });
  assert.deepEqual(written(range), { from: '1764000000000', to: '1764000060000' });
});

test('a relative range stays relative in the address', () => {
  const relative = rangeOf('now-30m', 'now', 'utc');
  assert.deepEqual(written(relative), { from: 'now-30m', to: 'now' });
  assert.ok(relative.from.isBefore(relative.to));
});

test('what is no range is the last hour', () => {
  assert.deepEqual(written(rangeOf('nonsense', 'now', 'utc')), { from: 'now-1h', to: 'now' });
  assert.deepEqual(written(rangeOf('now', 'now-1h', 'utc')), { from: 'now-1h', to: 'now' });
});

test('a range moves by its half and widens around its middle', () => {
  assert.deepEqual(moved(range, 0.5), { from: '1764000030000', to: '1764000090000' });
  assert.deepEqual(widened(range), { from: '1763999970000', to: '1764000090000' });
});

test('refreshes are intervals of a second or more, or none', () => {
  assert.deepEqual(['10s', '1m', '', 'often', '5ms'].map(refreshOf), [10_000, 60_000, undefined, undefined, 1000]);
});
