import assert from 'node:assert/strict';
import { test } from 'node:test';

import { getFieldDisplayName } from '@grafana/data';

import { framesOf, nameOf, numberOf } from '../src/frames';
import type { Answer } from '../src/prometheus';
import type { Question } from '../src/questions';
import { transformed } from '../src/transform';

const question: Question = {
  refId: 'A',
  kind: 'range',
  expr: 'up',
  span: { from: 0, to: 60 },
  step: 15,
  format: 'time_series',
  legend: '{{host}}',
};

const matrix: Answer = {
  resultType: 'matrix',
  result: [
    { metric: { __name__: 'up', host: 'a' }, values: [[15, '1'], [30, 'NaN']] },
    { metric: { __name__: 'up', host: 'b' }, values: [[15, '0.5']] },
  ],
};

test('a series is a frame of times in milliseconds and of numbers', () => {
  const [first, second] = framesOf(question, matrix, true);
  assert.deepEqual(first?.fields[0]?.values, [15_000, 30_000]);
  assert.deepEqual(first?.fields[1]?.values, [1, null]);
  assert.equal(first?.fields[1]?.config.displayNameFromDS, 'a');
  assert.equal(second?.fields[1]?.config.displayNameFromDS, 'b');
});

test('a pause longer than a step is a gap, as the frame knows its step', () => {
  const [first] = framesOf(question, matrix, true);
  assert.equal(first?.fields[0]?.config.interval, 15_000);
});

test('what is no number that can be drawn is a gap', () => {
  assert.deepEqual(['NaN', '+Inf', '-Inf', '1e3'].map(numberOf), [null, null, null, 1000]);
});

test('a series without a name of its own is called by metric and labels, or by what was asked', () => {
  assert.equal(nameOf('', { __name__: 'up', host: 'a' }, 'up'), 'up{host="a"}');
  assert.equal(nameOf('', {}, 'sum(up)'), 'sum(up)');
  assert.equal(nameOf('__auto', {}, 'sum(up)'), 'sum(up)');
  assert.equal(nameOf('{{host}} of {{none}}', { host: 'a' }, 'up'), 'a of none');
});

test('a name that Grafana makes tells series apart by the label in which they differ', () => {
  const jobs: Answer = {
    resultType: 'matrix',
    result: [
      { metric: { job: 'node' }, values: [[15, '1']] },
      { metric: { job: 'kafka' }, values: [[15, '1']] },
    ],
  };
  const frames = framesOf({ ...question, legend: '__auto' }, jobs, true);
  assert.deepEqual(
    frames.map((frame) => frame.fields[1] && getFieldDisplayName(frame.fields[1], frame, frames)),
    ['node', 'kafka']
  );
});

test('a table has a column a label and a row a series', () => {
  const vector: Answer = {
    resultType: 'vector',
    result: [
      { metric: { host: 'a', job: 'x' }, value: [60, '1'] },
      { metric: { host: 'b' }, value: [60, '0'] },
    ],
  };
  const [table] = framesOf({ ...question, kind: 'instant', format: 'table' }, vector, true);
  assert.deepEqual(table?.fields.map(({ name }) => name), ['Time', 'host', 'job', 'Value']);
  assert.deepEqual(table?.fields.map(({ values }) => values), [[60_000, 60_000], ['a', 'b'], ['x', ''], [1, 0]]);
  const [of] = framesOf({ ...question, refId: 'B', format: 'table' }, vector, false);
  assert.equal(of?.fields[3]?.name, 'Value #B');
});

test('nothing found is no frame, for a table too', () => {
  const none: Answer = { resultType: 'vector', result: [] };
  assert.deepEqual(framesOf(question, none, true), []);
  assert.deepEqual(framesOf({ ...question, format: 'table' }, none, true), []);
});

test('a scalar is a series without labels', () => {
  const [frame] = framesOf(question, { resultType: 'scalar', result: [60, '42'] }, true);
  assert.deepEqual(frame?.fields[1]?.values, [42]);
});

test('counts up to a bound become counts between bounds, the lowest first', () => {
  const counts: Answer = {
    resultType: 'matrix',
    result: [
      { metric: { le: '+Inf' }, values: [[15, '10']] },
      { metric: { le: '0.5' }, values: [[15, '4']] },
      { metric: { le: '1' }, values: [[15, '9']] },
    ],
  };
  const frames = framesOf({ ...question, format: 'heatmap' }, counts, true);
  assert.deepEqual(frames.map(({ fields }) => [fields[1]?.config.displayNameFromDS, fields[1]?.values[0]]), [
    ['0.5', 4],
    ['1', 5],
    ['+Inf', 1],
  ]);
});

test('a column that a dashboard leaves out is gone', async () => {
  const vector: Answer = { resultType: 'vector', result: [{ metric: { job: 'x' }, value: [60, '1'] }] };
  const frames = framesOf({ ...question, kind: 'instant', format: 'table' }, vector, true);
  const [table] = await transformed(frames, [{ id: 'organize', options: { excludeByName: { Time: true } } }]);
  assert.deepEqual(table?.fields.map(({ name }) => name), ['job', 'Value']);
});
