import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Panel, Target } from '../src/dashboard';
import { single, type Scope } from '../src/interpolation';
import { needsGrafana, questionsOf } from '../src/questions';
import { intervals, stepOf } from '../src/steps';

const span = { from: 1_764_000_000, to: 1_764_001_800 };
const scope: Scope = new Map([['topic', single('clicks')]]);

function panel(...targets: Partial<Target>[]): Panel {
  return {
    id: 1,
    type: 'timeseries',
    gridPos: { x: 0, y: 0, w: 8, h: 8 },
    targets: targets.map((target, index) => ({ refId: 'ABC'[index] ?? '', ...target })),
  };
}

test('there is at most about one point a pixel, at a round distance', () => {
  assert.equal(stepOf(span, 600, ''), 2);
  assert.equal(stepOf(span, 180, ''), 10);
  assert.equal(stepOf({ from: 0, to: 7 * 86_400 }, 1000, ''), 600);
});

test('points are no nearer than a panel wants, and no nearer than a second', () => {
  assert.equal(stepOf(span, 600, '15s'), 15);
  assert.equal(stepOf({ from: 0, to: 60 }, 1000, ''), 1);
});

test('a rate covers at least four scrapes', () => {
  const known = intervals(span, 2, '');
  assert.deepEqual(known.get('__rate_interval')?.values, ['60s']);
  assert.deepEqual(known.get('__interval')?.values, ['2s']);
  assert.deepEqual(known.get('__range')?.values, ['1800s']);
  assert.deepEqual(known.get('__range_s')?.values, ['1800']);
});

test('a rate over long steps covers the step and a scrape', () => {
  assert.deepEqual(intervals(span, 600, '').get('__rate_interval')?.values, ['615s']);
});

test('variables and intervals are in what is asked', () => {
  const [asked] = questionsOf(panel({ expr: 'rate(x{topic="$topic"}[$__rate_interval])' }), span, 600, scope);
  assert.equal(asked?.expr, 'rate(x{topic="clicks"}[60s])');
  assert.equal(asked?.kind, 'range');
});

test('an instant target is asked for one moment', () => {
  const [asked] = questionsOf(panel({ expr: 'up', instant: true, range: false }), span, 600, scope);
  assert.equal(asked?.kind, 'instant');
});

test('hidden and empty targets are not asked', () => {
  const asked = questionsOf(panel({ expr: 'up', hide: true }, { expr: '' }, { expr: 'b' }), span, 600, scope);
  assert.deepEqual(asked.map(({ expr }) => expr), ['b']);
});

test('SQL needs Grafana, whoever names the datasource', () => {
  const sql = { type: 'grafana-clickhouse-datasource', uid: 'clickhouse' };
  assert.equal(needsGrafana(panel({ datasource: sql })), true);
  assert.equal(needsGrafana({ ...panel({}), datasource: sql }), true);
  assert.equal(needsGrafana(panel({ datasource: { type: 'prometheus', uid: 'x' } })), false);
});
