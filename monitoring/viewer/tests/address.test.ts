import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readAddress, writeAddress } from '../src/address';

test('an address that is written is read as the same', () => {
  const address = {
    uid: 'ctr-pipeline',
    from: 'now-6h',
    to: 'now',
    refresh: '10s',
    theme: 'light' as const,
    variables: new Map([['host', ['a', 'b c']]]),
  };
  assert.deepEqual(readAddress(writeAddress(address)), address);
});

test('a refresh that was turned off stays off', () => {
  assert.equal(readAddress(writeAddress({ refresh: '', variables: new Map() })).refresh, '');
});

test('a dashboard may be named behind a hash', () => {
  assert.equal(readAddress('', '#d=ctr-kafka&from=now-1h').uid, 'ctr-kafka');
  assert.equal(readAddress('', '#?d=ctr-kafka').uid, 'ctr-kafka');
});

test('what is no theme is none', () => {
  assert.equal(readAddress('?theme=pink').theme, undefined);
});
