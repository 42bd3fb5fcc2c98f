import type { TableCellHeight } from '@grafana/schema';
import { Table } from '@grafana/ui';

import type { Drawing } from './drawing';

/** Pixels of a column that has no width of its own: all columns are seen, as long as they can be read. */
const LEAST_WIDTH = 60;
const MOST_WIDTH = 150;

interface TableOptions {
  cellHeight?: TableCellHeight;
  showHeader?: boolean;
  sortBy?: { displayName: string; desc?: boolean }[];
  frameIndex?: number;
}

export function TablePanel({ frames, width, height, options, timeRange, fieldConfig }: Drawing): JSX.Element {
  const { cellHeight, showHeader, sortBy, frameIndex } = options as TableOptions;
  const frame = frames[frameIndex ?? 0] ?? frames[0];
  const shown = (frame?.fields ?? []).filter(({ config }) => !config.custom?.hidden);
  return frame ? (
    <Table
      data={frame}
      width={width}
      height={height}
      noHeader={showHeader === false}
      resizable
      columnMinWidth={Math.max(LEAST_WIDTH, Math.min(MOST_WIDTH, width / Math.max(1, shown.length)))}
      timeRange={timeRange}
      fieldConfig={fieldConfig}
      cellHeight={cellHeight}
      initialSortBy={sortBy}
    />
  ) : (
    <></>
  );
}
