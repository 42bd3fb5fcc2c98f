/** Where each panel stands: Grafana's grid of 24 columns, or one column on a narrow screen. */

import type { Panel } from './dashboard';

const COLUMNS = 24;
const CELL_HEIGHT = 30;
const GAP = 8;
const NARROW = 800;

/** Pixels, from the upper left corner of the grid. */
export interface Box {
  panel: Panel;
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Layout {
  boxes: Box[];
  height: number;
}

/** A row and the panels under it; those before the first row have none. */
export interface Section {
  row: Panel | undefined;
  panels: Panel[];
}

/**
 * The panels of a dashboard, row by row.
 *
 * Grafana keeps the panels of a closed row inside it, and those of an open one after it.
 */
export function sectionsOf(panels: Panel[]): Section[] {
  const sections: Section[] = [{ row: undefined, panels: [] }];
  for (const panel of [...panels].sort(byPlace)) {
    if (panel.type === 'row') {
      sections.push({ row: panel, panels: [...(panel.panels ?? [])].sort(byPlace) });
    } else {
      sections[sections.length - 1]?.panels.push(panel);
    }
  }
  return sections.filter(({ row, panels: found }) => row !== undefined || found.length > 0);
}

/** The rows that are closed when a dashboard is opened. */
export function closedAtFirst(panels: Panel[]): Set<number> {
  return new Set(panels.filter(({ type, collapsed }) => type === 'row' && collapsed).map(({ id }) => id));
}

/** Place rows and the panels of the rows that are open, one section under the other. */
export function layOut(panels: Panel[], width: number, closed: ReadonlySet<number>): Layout {
  const boxes: Box[] = [];
  let top = 0;
  for (const section of sectionsOf(panels)) {
    if (section.row) {
      boxes.push({ panel: section.row, left: 0, top, width, height: CELL_HEIGHT });
      top += CELL_HEIGHT + GAP;
    }
    if (section.row && closed.has(section.row.id)) {
      continue;
    }
    const placed = width < NARROW ? inOneColumn(section.panels, width) : inColumns(section.panels, width);
    boxes.push(...placed.boxes.map((box) => ({ ...box, top: box.top + top })));
    top += placed.height;
  }
  return { boxes, height: Math.max(0, top - GAP) };
}

function inOneColumn(panels: Panel[], width: number): Layout {
  let top = 0;
  const boxes = panels.map((panel) => {
    const box = { panel, left: 0, top, width, height: heightOf(panel) };
    top += box.height + GAP;
    return box;
  });
  return { boxes, height: top };
}

function inColumns(panels: Panel[], width: number): Layout {
  const column = (width + GAP) / COLUMNS;
  const first = Math.min(...panels.map(({ gridPos }) => gridPos.y));
  const boxes = panels.map((panel) => ({
    panel,
    left: Math.round(panel.gridPos.x * column),
    top: (panel.gridPos.y - first) * (CELL_HEIGHT + GAP),
    width: Math.round(panel.gridPos.w * column - GAP),
    height: heightOf(panel),
  }));
  return { boxes, height: Math.max(0, ...boxes.map(({ top, height }) => top + height + GAP)) };
}

function heightOf({ gridPos }: Panel): number {
  return gridPos.h * (CELL_HEIGHT + GAP) - GAP;
}

function byPlace(one: Panel, other: Panel): number {
  return one.gridPos.y - other.gridPos.y || one.gridPos.x - other.gridPos.x;
}
