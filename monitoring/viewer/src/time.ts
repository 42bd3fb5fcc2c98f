/** Time ranges, from what an address says to the seconds that Prometheus is asked for. */

import { dateTime, rangeUtil, type RawTimeRange, type TimeRange } from '@grafana/data';

import type { Span } from './steps';

export const REFRESHES = ['5s', '10s', '30s', '1m', '5m', '15m', '30m', '1h'];

/** A range of `now-30m` and the like, or of milliseconds, as it is at this moment. */
export function rangeOf(from: string, to: string, timeZone: string): TimeRange {
  const range = rangeUtil.convertRawToRange({ from: momentOf(from), to: momentOf(to) }, timeZone);
  if (!range.from.isValid() || !range.to.isValid() || !range.from.isBefore(range.to)) {
    return rangeUtil.convertRawToRange({ from: 'now-1h', to: 'now' }, timeZone);
  }
  return range;
}

export function spanOf({ from, to }: TimeRange): Span {
  return { from: Math.floor(from.valueOf() / 1000), to: Math.ceil(to.valueOf() / 1000) };
}

/** How an address writes a range. */
export function written({ raw }: TimeRange): { from: string; to: string } {
  return { from: textOf(raw.from), to: textOf(raw.to) };
}

/** The same length, so many lengths later; earlier where it is negative. */
export function moved({ from, to }: TimeRange, lengths: number): { from: string; to: string } {
  const by = Math.round((to.valueOf() - from.valueOf()) * lengths);
  return { from: String(from.valueOf() + by), to: String(to.valueOf() + by) };
}

/** Twice the length, around the same middle. */
export function widened({ from, to }: TimeRange): { from: string; to: string } {
  const half = Math.round((to.valueOf() - from.valueOf()) / 2);
  return { from: String(from.valueOf() - half), to: String(to.valueOf() + half) };
}

/** Milliseconds between refreshes; undefined for never, and for what is no interval. */
export function refreshOf(text: string): number | undefined {
  if (!/^\d+(ms|[smhd])$/.test(text)) {
    return undefined;
  }
  return Math.max(1000, rangeUtil.intervalToMs(text));
}

function momentOf(text: string): RawTimeRange['from'] {
  return /^\d+$/.test(text) ? dateTime(Number(text)) : text;
}

function textOf(moment: RawTimeRange['from']): string {
  return typeof moment === 'string' ? moment : String(moment.valueOf());
}
