import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Panel } from '../src/dashboard';
import { closedAtFirst, layOut, sectionsOf } from '../src/grid';

function panel(id: number, type: string, x: number, y: number, w: number, h: number): Panel {
  return { id, type, gridPos: { x, y, w, h } };
}

const open = [
  panel(1, 'row', 0, 0, 24, 1),
  panel(2, 'stat', 0, 1, 12, 4),
  panel(3, 'stat', 12, 1, 12, 4),
  panel(4, 'row', 0, 5, 24, 1),
  panel(5, 'timeseries', 0, 6, 24, 8),
];

test('two halves fill the width, with a gap between them', () => {
  const { boxes } = layOut(open, 1000, new Set());
  const [left, right] = boxes.filter(({ panel: { type } }) => type === 'stat');
  assert.deepEqual([left?.left, left?.width], [0, 496]);
  assert.deepEqual([right?.left, right?.width], [504, 496]);
});

test('a panel is as high as Grafana makes it', () => {
  const { boxes } = layOut(open, 1000, new Set());
  assert.equal(boxes.find(({ panel: { id } }) => id === 5)?.height, 8 * 38 - 8);
});

test('what is under a closed row is gone, and the next row moves up', () => {
  const { boxes } = layOut(open, 1000, new Set([1]));
  assert.deepEqual(boxes.map(({ panel: { id }, top }) => [id, top]), [
    [1, 0],
    [4, 38],
    [5, 76],
  ]);
});

test('panels that a closed row keeps appear when it opens', () => {
  const kept: Panel = { ...panel(1, 'row', 0, 0, 24, 1), collapsed: true, panels: [panel(2, 'stat', 0, 7, 6, 4)] };
  assert.deepEqual([...closedAtFirst([kept])], [1]);
  assert.equal(layOut([kept], 1000, new Set([1])).boxes.length, 1);
  assert.deepEqual(layOut([kept], 1000, new Set()).boxes.map(({ top }) => top), [0, 38]);
});

test('a narrow screen has one column in the order of reading', () => {
  const { boxes } = layOut(open, 390, new Set());
  assert.deepEqual(new Set(boxes.map(({ left, width }) => `${left} ${width}`)), new Set(['0 390']));
  assert.deepEqual(boxes.map(({ panel: { id } }) => id), [1, 2, 3, 4, 5]);
  const tops = boxes.map(({ top }) => top);
  assert.deepEqual(tops, [...tops].sort((one, other) => one - other));
});

test('nothing overlaps and the whole is as high as its lowest panel', () => {
  const { boxes, height } = layOut(open, 1000, new Set());
  assert.equal(height, Math.max(...boxes.map((box) => box.top + box.height)));
});

test('panels before the first row are a section without a row', () => {
  const sections = sectionsOf([panel(9, 'stat', 0, 0, 6, 4), ...open.map((one) => ({ ...one, gridPos: { ...one.gridPos, y: one.gridPos.y + 4 } }))]);
  assert.deepEqual(sections.map(({ row, panels }) => [row?.id, panels.length]), [
    [undefined, 1],
    [1, 2],
    [4, 1],
  ]);
});

test('a dashboard without panels has no height', () => {
  assert.deepEqual(layOut([], 1000, new Set()), { boxes: [], height: 0 });
});
