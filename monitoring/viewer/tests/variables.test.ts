import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { VariableModel } from '../src/dashboard';
import { resolved, scopeOf } from '../src/resolve';
import { ALL, asOptions, chosenOf, fixedOptions, isShown, labelQuestion, type LabelQuestion } from '../src/variables';

const host: VariableModel = {
  name: 'host',
  type: 'query',
  query: 'label_values(up{job="node"}, host)',
  multi: true,
  includeAll: true,
  sort: 7,
  current: { value: [ALL] },
};

test('label_values asks for a label of a selector, or of everything', () => {
  assert.deepEqual(labelQuestion('label_values(up{job="node", a="b"}, host)'), {
    selector: 'up{job="node", a="b"}',
    label: 'host',
  });
  assert.deepEqual(labelQuestion('label_values(job)'), { selector: '', label: 'job' });
  assert.equal(labelQuestion('query_result(up)'), undefined);
});

test('a list of its own may have names, and commas that are meant', () => {
  assert.deepEqual(fixedOptions({ name: 'a', type: 'custom', query: 'one, two : 2, three\\,four' }), [
    'one',
    '2',
    'three,four',
  ]);
  assert.deepEqual(fixedOptions({ name: 'a', type: 'constant', query: 'runbooks' }), ['runbooks']);
});

test('options are as the pattern cuts them and once each', () => {
  const cut: VariableModel = { name: 'a', type: 'query', regex: '/^(\\w+):\\d+$/' };
  assert.deepEqual(asOptions(['a:1', 'a:2', 'b:1', 'c'], cut), ['a', 'b']);
});

test('natural order puts 2 before 10', () => {
  assert.deepEqual(asOptions(['k10', 'k2', 'K1'], { ...host, sort: 7 }), ['K1', 'k2', 'k10']);
  assert.deepEqual(asOptions(['k10', 'k2', 'K1'], { ...host, sort: 8 }), ['k10', 'k2', 'K1']);
  assert.deepEqual(asOptions(['b', 'a'], { ...host, sort: 0 }), ['b', 'a']);
});

test('the address wins over the dashboard, as far as there are such options', () => {
  assert.deepEqual(chosenOf(host, ['a', 'b'], ['b', 'gone']), ['b']);
  assert.deepEqual(chosenOf(host, ['a', 'b'], ['gone']), [ALL]);
  assert.deepEqual(chosenOf(host, ['a', 'b'], undefined), [ALL]);
});

test('a variable without All takes one, the first if nothing is said', () => {
  const one: VariableModel = { name: 'a', type: 'custom' };
  assert.deepEqual(chosenOf(one, ['x', 'y'], ['y', 'x']), ['y']);
  assert.deepEqual(chosenOf(one, ['x', 'y'], undefined), ['x']);
});

test('a variable may name those before it', async () => {
  const asked: LabelQuestion[] = [];
  const models: VariableModel[] = [
    { name: 'job', type: 'custom', query: 'node,kafka' },
    { ...host, query: 'label_values(up{job="$job"}, host)' },
  ];
  const found = await resolved(models, new Map([['job', ['kafka']]]), async (question) => {
    asked.push(question);
    return ['k1', 'k2'];
  });
  assert.deepEqual(asked, [{ selector: 'up{job="kafka"}', label: 'host' }]);
  assert.deepEqual(scopeOf(found).get('host'), { values: ['k1', 'k2'], multi: true });
});

test('what cannot be asked is a sentence, and the other variables go on', async () => {
  const models: VariableModel[] = [
    { name: 'a', type: 'query', query: 'metrics(x)' },
    host,
    { name: 'c', type: 'interval', query: '1m,5m' },
  ];
  const found = await resolved(models, new Map(), async () => {
    throw new Error('Prometheus cannot be reached; look whether it runs.');
  });
  assert.deepEqual(found.map(({ problem }) => problem), [
    'The variable a asks something other than label_values().',
    'Prometheus cannot be reached; look whether it runs.',
    undefined,
  ]);
  assert.deepEqual(found[2]?.chosen, ['1m']);
});

test('constants and datasources are not shown, nor what is hidden', () => {
  assert.equal(isShown({ name: 'a', type: 'constant' }), false);
  assert.equal(isShown({ name: 'a', type: 'datasource' }), false);
  assert.equal(isShown({ ...host, hide: 2 }), false);
  assert.equal(isShown(host), true);
});
