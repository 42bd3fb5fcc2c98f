import assert from 'node:assert/strict';
import { test } from 'node:test';

import { interpolate, namesIn, single, type Scope } from '../src/interpolation';

const scope: Scope = new Map([
  ['host', { values: ['kafka1', 'kafka2.lan'], multi: true }],
  ['one', { values: ['kafka2.lan'], multi: true }],
  ['topic', { values: ['a', 'b'], multi: true, all: '.*' }],
  ['plain', single('say "x"')],
  ['step', single('30s')],
]);

test('a query gets a regular expression of several values', () => {
  assert.equal(interpolate('up{host=~"$host"}', scope, 'query'), 'up{host=~"(kafka1|kafka2\\\\.lan)"}');
});

test('a single value of several is escaped and stands without brackets', () => {
  assert.equal(interpolate('${one}', scope, 'query'), 'kafka2\\\\.lan');
});

test('what All stands for is taken as the dashboard says it', () => {
  assert.equal(interpolate('{topic=~"$topic"}', scope, 'query'), '{topic=~".*"}');
});

test('quotes do not end the text that they stand in', () => {
  assert.equal(interpolate('{a="$plain"}', scope, 'query'), '{a="say \\"x\\""}');
});

test('all ways of naming a variable mean the same', () => {
  assert.equal(interpolate('$step ${step} [[step]]', scope, 'query'), '30s 30s 30s');
});

test('a format that is named wins over what the place would give', () => {
  assert.equal(interpolate('${host:csv} ${host:pipe}', scope, 'query'), 'kafka1,kafka2.lan kafka1|kafka2.lan');
});

test('texts for people join values by a plus', () => {
  assert.equal(interpolate('of ${host:text}', scope, 'text'), 'of kafka1 + kafka2.lan');
});

test('a name that is not known stays as it is', () => {
  assert.equal(interpolate('$unknown {{label}} $1', scope, 'query'), '$unknown {{label}} $1');
});

test('a longer name is not mistaken for a shorter one', () => {
  const both: Scope = new Map([['__range', single('60s')], ['__range_s', single('60')]]);
  assert.equal(interpolate('$__range_s $__range', both, 'query'), '60 60s');
});

test('the names in a text are found in their order', () => {
  assert.deepEqual(namesIn('$a ${b:csv} [[c]]'), ['a', 'b', 'c']);
});
