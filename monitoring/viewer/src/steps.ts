/** How far apart the points of a query are, and the intervals that follow from it. */

import { rangeUtil } from '@grafana/data';

import { single, type Scope, type Value } from './interpolation';

/** Seconds since 1970. */
export interface Span {
  from: number;
  to: number;
}

/** What Grafana assumes of a Prometheus of which it is told nothing. */
const SCRAPE_SECONDS = 15;
/** More points of a series Prometheus does not answer. */
const MOST_POINTS = 11_000;

/**
 * Seconds between points: a round number, so that there is about one point a pixel.
 *
 * @param least - Grafana's "min step", such as `15s`; empty when there is none.
 */
export function stepOf(span: Span, points: number, least: string): number {
  const length = span.to - span.from;
  const rounded = rangeUtil.roundInterval((length * 1000) / Math.max(1, points)) / 1000;
  return Math.max(1, Math.ceil(length / MOST_POINTS), rounded, secondsOf(least, 1));
}

/** `$__interval`, `$__rate_interval`, `$__range` and their like. */
export function intervals(span: Span, step: number, least: string): Map<string, Value> {
  const range = Math.round(span.to - span.from);
  const scrape = secondsOf(least, SCRAPE_SECONDS);
  const rate = Math.max(step + scrape, 4 * scrape);
  const texts = {
    __interval: `${step}s`,
    __interval_ms: String(step * 1000),
    __rate_interval: `${rate}s`,
    __range: `${range}s`,
    __range_s: String(range),
    __range_ms: String(range * 1000),
  };
  return new Map(Object.entries(texts).map(([name, text]) => [name, single(text)]));
}

export function merged(...scopes: Scope[]): Scope {
  return new Map(scopes.flatMap((scope) => [...scope]));
}

function secondsOf(text: string, otherwise: number): number {
  return text === '' ? otherwise : rangeUtil.intervalToSeconds(text.replace(/^>/, ''));
}
