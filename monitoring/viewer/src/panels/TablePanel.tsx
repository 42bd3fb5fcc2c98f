import type { TableCellHeight } from '@grafana/schema';
import { Table } from '@grafana/ui';

import type { Drawing } from './drawing';

interface TableOptions {
  cellHeight?: TableCellHeight;
  showHeader?: boolean;
  sortBy?: { displayName: string; desc?: boolean }[];
  frameIndex?: number;
}

export function TablePanel({ frames, width, height, options, timeRange, fieldConfig }: Drawing): JSX.Element {
  const { cellHeight, showHeader, sortBy, frameIndex } = options as TableOptions;
  const frame = frames[frameIndex ?? 0] ?? frames[0];
  return frame ? (
    <Table
      data={frame}
      width={width}
      height={height}
      noHeader={showHeader === false}
      resizable
      timeRange={timeRange}
      fieldConfig={fieldConfig}
      cellHeight={cellHeight}
      initialSortBy={sortBy}
    />
  ) : (
    <></>
  );
}
