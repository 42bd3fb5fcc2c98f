/** The kinds of panels that are drawn, by Grafana's names of them. */

import type { ComponentType } from 'react';

import { BarChartPanel } from './BarChartPanel';
import { BarGaugePanel } from './BarGaugePanel';
import type { Drawing } from './drawing';
import { HeatmapPanel } from './HeatmapPanel';
import { PiePanel } from './PiePanel';
import { StatPanel } from './StatPanel';
import { TablePanel } from './TablePanel';
import { TimeSeriesPanel } from './TimeSeriesPanel';

export const KINDS: Readonly<Record<string, ComponentType<Drawing>>> = {
  stat: StatPanel,
  timeseries: TimeSeriesPanel,
  piechart: PiePanel,
  barchart: BarChartPanel,
  bargauge: BarGaugePanel,
  heatmap: HeatmapPanel,
  table: TablePanel,
};
