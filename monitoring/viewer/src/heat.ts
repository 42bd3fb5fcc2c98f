/** Cells of a heat map and their colours. */

import { FieldType, getFieldDisplayName, type DataFrame, type GrafanaTheme2 } from '@grafana/data';
import * as schemes from 'd3-scale-chromatic';

export interface Cell {
  column: number;
  row: number;
  value: number;
}

export interface Cells {
  /** Milliseconds since 1970, rising; each the end of what its cell covers. */
  times: number[];
  /** Names, the lowest row first. */
  rows: string[];
  cells: Cell[];
  least: number;
  most: number;
}

export interface HeatColors {
  mode?: string;
  scheme?: string;
  fill?: string;
  scale?: string;
  exponent?: number;
  steps?: number;
  reverse?: boolean;
  min?: number;
  max?: number;
}

/** One row a series, one column a point in time. */
export function cellsOf(frames: DataFrame[]): Cells {
  const series = frames.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    return frame.fields
      .filter(({ type }) => type === FieldType.number)
      .map((field) => ({
        name: getFieldDisplayName(field, frame, frames),
        times: (time?.values ?? []) as number[],
        values: field.values as (number | null)[],
      }));
  });
  const times = [...new Set(series.flatMap((one) => one.times))].sort((one, other) => one - other);
  const columns = new Map(times.map((time, index) => [time, index]));
  const cells = series.flatMap(({ times: own, values }, row) =>
    own.flatMap((time, index) => {
      const value = values[index];
      return value == null ? [] : [{ column: columns.get(time) ?? 0, row, value }];
    })
  );
  const { least, most } = cells.reduce(
    (found, { value }) => ({ least: Math.min(found.least, value), most: Math.max(found.most, value) }),
    { least: Infinity, most: -Infinity }
  );
  return { times, rows: series.map(({ name }) => name), cells, least, most };
}

/** Which colours Grafana turns round, since on its background they would lead the eye to little. */
const TURNED = {
  always: new Set(['BrBG', 'PiYG', 'PRGn', 'PuOr', 'RdBu', 'RdGy', 'RdYlBu', 'RdYlGn', 'Spectral', 'Rainbow', 'Sinebow']),
  onLight: new Set(['Turbo', 'Cividis', 'Viridis', 'Magma', 'Inferno', 'Plasma', 'Warm', 'Cool', 'Cubehelix']),
};

/** The colour of a share between 0 and 1 of the way from the least to the most. */
export function heatColor(colors: HeatColors, theme: GrafanaTheme2): (share: number) => string {
  if (colors.mode === 'opacity') {
    const fill = theme.visualization.getColorByName(colors.fill ?? 'dark-orange');
    const exponent = colors.scale === 'exponential' ? (colors.exponent ?? 0.5) : 1;
    return (share) => withOpacity(fill, clamped(share) ** exponent);
  }
  const name = colors.scheme ?? 'Spectral';
  const known = schemes as unknown as Record<string, ((share: number) => string) | undefined>;
  const interpolate =
    known[`interpolate${name === 'Cubehelix' ? 'CubehelixDefault' : name}`] ?? schemes.interpolateSpectral;
  const byItself = TURNED.always.has(name) || (TURNED.onLight.has(name) ? theme.isLight : theme.isDark);
  const turned = byItself !== Boolean(colors.reverse);
  const steps = Math.max(2, colors.steps ?? 64) - 1;
  return (share) => {
    const stepped = Math.round(clamped(share) * steps) / steps;
    return interpolate(turned ? 1 - stepped : stepped);
  };
}

function clamped(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function withOpacity(color: string, opacity: number): string {
  return `color-mix(in srgb, ${color} ${Math.round(opacity * 100)}%, transparent)`;
}
