/** What every kind of panel is given to draw. */

import type { DataFrame, FieldConfigSource, InterpolateFunction, TimeRange } from '@grafana/data';

export interface Drawing {
  frames: DataFrame[];
  fieldConfig: FieldConfigSource;
  options: Record<string, unknown>;
  width: number;
  height: number;
  timeRange: TimeRange;
  timeZone: string;
  replaceVariables: InterpolateFunction;
  /** Grafana's number of how panels share the cursor: 0 they do not, 1 the line, 2 the tooltip too. */
  sharedCursor: number;
  onZoom: (from: number, to: number) => void;
}

/** How a panel makes one value of a series. */
export interface ReduceOptions {
  values: boolean;
  calcs: string[];
  fields?: string;
  limit?: number;
}

export function reduceOptionsOf(options: Record<string, unknown>): ReduceOptions {
  const said = (options['reduceOptions'] ?? {}) as Partial<ReduceOptions>;
  return { ...said, values: said.values ?? false, calcs: said.calcs ?? ['lastNotNull'] };
}

/** What a dashboard says of a legend. */
export interface LegendOptions {
  showLegend: boolean;
  displayMode: 'list' | 'table';
  placement: 'bottom' | 'right';
  calcs: string[];
  values?: string[];
}

export function legendOptionsOf(options: Record<string, unknown>): LegendOptions {
  const said = (options['legend'] ?? {}) as Partial<LegendOptions>;
  return {
    showLegend: said.showLegend ?? true,
    displayMode: said.displayMode === 'table' ? 'table' : 'list',
    placement: said.placement ?? 'bottom',
    calcs: said.calcs ?? [],
    values: said.values ?? [],
  };
}
