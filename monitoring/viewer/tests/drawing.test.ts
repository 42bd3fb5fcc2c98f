import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDataFrame, createTheme, FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';

import { dressed, fieldConfigOf } from '../src/display';
import { cellsOf, heatColor } from '../src/heat';
import { slicesOf } from '../src/pie';
import { ticksOf } from '../src/ticks';
import { alone, toggled } from '../src/visibility';

const theme = createTheme({ colors: { mode: 'dark' } });

function series(name: string, times: number[], values: (number | null)[]) {
  return createDataFrame({
    fields: [
      { name: 'Time', type: FieldType.time, values: times },
      { name: 'Value', type: FieldType.number, values, config: { displayNameFromDS: name } },
    ],
  });
}

test('units, decimals, colours and names are as the dashboard says', () => {
  const said = {
    defaults: {
      unit: 'percentunit',
      decimals: 1,
      custom: { fillOpacity: 8 },
      thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 0.1, color: 'red' }] },
      color: { mode: 'thresholds' },
    },
    overrides: [{ matcher: { id: 'byName', options: 'b' }, properties: [{ id: 'displayName', value: 'other' }, { id: 'custom.lineWidth', value: 3 }] }],
  };
  const config = fieldConfigOf('timeseries', said as never);
  const frames = dressed([series('a', [1], [0.05]), series('b', [1], [0.5])], config, {
    theme,
    timeZone: 'utc',
    replaceVariables: (text) => text ?? '',
  });
  const [a, b] = frames.map(({ fields }) => fields[1]);
  assert.ok(a?.display && b?.display && frames[1]);
  assert.equal(formattedValueToString(a.display(0.05)), '5.0%');
  assert.equal(a.display(0.05).color, theme.visualization.getColorByName('green'));
  assert.equal(b.display(0.5).color, theme.visualization.getColorByName('red'));
  assert.equal(getFieldDisplayName(b, frames[1], frames), 'other');
  assert.equal(b.config.custom.lineWidth, 3);
  assert.equal(a.config.custom.lineWidth, 1);
  assert.equal(a.config.custom.fillOpacity, 8);
});

test('the shares of a pie are of its whole, and what has nothing has no slice', () => {
  const slices = slicesOf([3, 0, 1, -5], 10, 5);
  assert.deepEqual(slices.map(({ index, share }) => [index, share]), [
    [0, 0.75],
    [2, 0.25],
  ]);
  assert.deepEqual(slicesOf([0, 0], 10, 5), []);
});

test('a whole ring is drawn though it ends where it begins', () => {
  const [whole] = slicesOf([7], 10, 5);
  assert.match(whole?.path ?? '', /^M0\.000,-10\.000A10,10,0,1,1,/);
  assert.equal(whole?.share, 1);
});

test('a heat map has a row a series and a column a moment', () => {
  const cells = cellsOf([series('low', [10, 20], [1, null]), series('high', [20, 30], [3, 4])]);
  assert.deepEqual(cells.times, [10, 20, 30]);
  assert.deepEqual(cells.rows, ['low', 'high']);
  assert.deepEqual(cells.cells, [
    { column: 0, row: 0, value: 1 },
    { column: 1, row: 1, value: 3 },
    { column: 2, row: 1, value: 4 },
  ]);
  assert.deepEqual([cells.least, cells.most], [1, 4]);
});

test('little is green and much is red, and a dashboard may want it turned, as in Grafana', () => {
  const [green, red] = ['rgb(0, 104, 55)', 'rgb(165, 0, 38)'];
  const color = heatColor({ mode: 'scheme', scheme: 'RdYlGn', reverse: false }, theme);
  assert.deepEqual([color(0), color(1)], [green, red]);
  assert.equal(color(-1), color(0));
  const turned = heatColor({ mode: 'scheme', scheme: 'RdYlGn', reverse: true }, theme);
  assert.deepEqual([turned(0), turned(1)], [red, green]);
});

test('colours that hang on the background are turned once more by a dashboard', () => {
  const dark = createTheme({ colors: { mode: 'dark' } });
  const light = createTheme({ colors: { mode: 'light' } });
  for (const scheme of ['Blues', 'Turbo']) {
    const once = heatColor({ mode: 'scheme', scheme }, dark);
    assert.equal(heatColor({ mode: 'scheme', scheme, reverse: true }, dark)(0), once(1));
    assert.equal(heatColor({ mode: 'scheme', scheme }, light)(0), once(1));
  }
});

test('the numbers along an axis are round and cover the values', () => {
  assert.deepEqual(ticksOf(0, 87, 4), [0, 50, 100]);
  assert.deepEqual(ticksOf(-3, 5, 4), [-4, -2, 0, 2, 4, 6]);
  assert.deepEqual(ticksOf(0, 0, 4), [0]);
});

test('a click shows a series alone, and a second one all again', () => {
  const once = alone('a', ['a', 'b', 'c'], new Set());
  assert.deepEqual([...once], ['b', 'c']);
  assert.deepEqual([...alone('a', ['a', 'b', 'c'], once)], []);
  assert.deepEqual([...toggled('b', once)], ['c']);
  assert.deepEqual([...toggled('a', once)], ['b', 'c', 'a']);
});
