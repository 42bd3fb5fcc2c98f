/**
 * A dashboard as Grafana keeps it: the parts of its JSON that are drawn here. What is not named is
 * left alone.
 */

import type { DataTransformerConfig, FieldConfigSource } from '@grafana/data';

export interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface DataSourceRef {
  type?: string;
  uid?: string;
}

export interface Target {
  refId: string;
  expr?: string;
  legendFormat?: string;
  instant?: boolean;
  range?: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
  interval?: string;
  hide?: boolean;
  datasource?: DataSourceRef;
}

export interface Link {
  title: string;
  type?: 'link' | 'dashboards';
  url?: string;
  tooltip?: string;
  tags?: string[];
  targetBlank?: boolean;
  keepTime?: boolean;
  includeVars?: boolean;
  asDropdown?: boolean;
}

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: GridPos;
  datasource?: DataSourceRef;
  targets?: Target[];
  fieldConfig?: FieldConfigSource;
  options?: Record<string, unknown>;
  transformations?: DataTransformerConfig[];
  links?: Link[];
  interval?: string;
  maxDataPoints?: number | null;
  timeFrom?: string;
  transparent?: boolean;
  /** Of a row: whether it is closed, and the panels that a closed row keeps. */
  collapsed?: boolean;
  panels?: Panel[];
}

export interface VariableModel {
  name: string;
  type: string;
  label?: string;
  /** Grafana's numbers: 0 shows label and value, 1 the value alone, 2 nothing. */
  hide?: number;
  query?: string | { query?: string };
  definition?: string;
  regex?: string;
  sort?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string | null;
  current?: { value?: string | string[] };
  options?: { value: string | string[] }[];
}

export interface Annotation {
  name: string;
  enable?: boolean;
  hide?: boolean;
  expr?: string;
  iconColor?: string;
}

export interface Dashboard {
  uid: string;
  title: string;
  description?: string;
  tags?: string[];
  panels: Panel[];
  templating?: { list?: VariableModel[] };
  annotations?: { list?: Annotation[] };
  links?: Link[];
  time?: { from: string; to: string };
  timezone?: string;
  refresh?: string | false;
  graphTooltip?: number;
}

/** One line of the list of dashboards, as the build writes it. */
export interface Entry {
  uid: string;
  title: string;
  description: string;
  tags: string[];
  /** Of the JSON, below the folder of the page. */
  path: string;
}

export interface Catalogue {
  dashboards: Entry[];
  /** Names of runbooks that are here, each a Markdown file. */
  runbooks: string[];
}
