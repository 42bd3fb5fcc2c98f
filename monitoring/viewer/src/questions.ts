/** What a panel asks Prometheus. */

import type { Panel, Target } from './dashboard';
import { interpolate, type Scope } from './interpolation';
import { intervals, merged, stepOf, type Span } from './steps';

export interface Question {
  refId: string;
  kind: 'range' | 'instant';
  expr: string;
  span: Span;
  /** Seconds between points. */
  step: number;
  format: 'time_series' | 'table' | 'heatmap';
  /** How series are called: a form, nothing for metric and labels, `__auto` for Grafana's own way. */
  legend: string;
}

/** Kinds of datasource that Prometheus stands for. */
const ANSWERED = new Set(['prometheus', 'datasource', '']);

/** Whether a panel asks what only Grafana's own server can answer, such as SQL. */
export function needsGrafana({ targets = [], datasource }: Panel): boolean {
  return targets.some((target) => !ANSWERED.has((target.datasource ?? datasource)?.type ?? ''));
}

/**
 * The questions of a panel.
 *
 * @param width - Pixels; there is a point for each, at most.
 */
export function questionsOf(panel: Panel, span: Span, width: number, scope: Scope): Question[] {
  const points = panel.maxDataPoints ?? width;
  return (panel.targets ?? [])
    .filter(({ hide, expr }) => !hide && expr)
    .map((target) => questionOf(target, panel, span, points, scope));
}

function questionOf(target: Target, panel: Panel, span: Span, points: number, scope: Scope): Question {
  const least = interpolate(target.interval || panel.interval || '', scope, 'text');
  const step = stepOf(span, points, least);
  const known = merged(scope, intervals(span, step, least));
  return {
    refId: target.refId,
    kind: target.instant && !target.range ? 'instant' : 'range',
    expr: interpolate(target.expr ?? '', known, 'query'),
    span,
    step,
    format: target.format ?? 'time_series',
    legend: interpolate(target.legendFormat ?? '', known, 'text'),
  };
}
