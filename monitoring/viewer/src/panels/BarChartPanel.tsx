import {
  FieldType,
  formattedValueToString,
  getFieldDisplayName,
  getFieldSeriesColor,
  reduceField,
  type DataFrame,
  type Field,
} from '@grafana/data';
import { LegendDisplayMode } from '@grafana/schema';
import { measureText, useTheme2, VizLayout, VizLegend } from '@grafana/ui';

import { ticksOf } from '../ticks';
import { legendOptionsOf, type Drawing } from './drawing';

const FONT_SIZE = 12;
const AXIS_HEIGHT = 22;

interface Bars {
  /** Names along the axis. */
  names: string[];
  /** Of each group of bars: its field, and a value for each name. */
  groups: { field: Field; label: string; values: (number | null)[] }[];
}

/** Bars beside each other: one a row of a table, or one a series. */
export function BarChartPanel({ frames, width, height, options }: Drawing): JSX.Element {
  const theme = useTheme2();
  const bars = barsOf(frames);
  const legend = legendOptionsOf(options);
  const numbers = bars.groups.flatMap(({ values }) => values.filter((value): value is number => value !== null));
  const ticks = ticksOf(Math.min(...numbers, 0), Math.max(...numbers, 0), Math.max(2, height / 60));
  const first = bars.groups[0]?.field;
  const texts = ticks.map((tick) => textOf(first, tick));
  const left = Math.max(...texts.map((text) => measureText(text, FONT_SIZE).width)) + 12;
  return (
    <VizLayout
      width={width}
      height={height}
      legend={
        legend.showLegend && bars.groups.length > 1 ? (
          <VizLayout.Legend placement={legend.placement}>
            <VizLegend
              readonly
              placement={legend.placement}
              displayMode={LegendDisplayMode.List}
              items={bars.groups.map(({ field, label }) => ({
                label,
                color: getFieldSeriesColor(field, theme).color,
                yAxis: 0,
              }))}
            />
          </VizLayout.Legend>
        ) : null
      }
    >
      {(innerWidth, innerHeight) => {
        const low = Math.min(...ticks);
        const high = Math.max(...ticks, low + 1e-9);
        const bottom = innerHeight - AXIS_HEIGHT;
        const y = (value: number): number => 6 + (bottom - 6) * (1 - (value - low) / (high - low));
        const slot = (innerWidth - left) / Math.max(1, bars.names.length);
        const bar = (slot * 0.8) / Math.max(1, bars.groups.length);
        return (
          <svg width={innerWidth} height={innerHeight} fontSize={FONT_SIZE} fill={theme.colors.text.secondary} role="img">
            {ticks.map((tick, index) => (
              <g key={tick}>
                <line x1={left} x2={innerWidth} y1={y(tick)} y2={y(tick)} stroke={theme.colors.border.weak} />
                <text x={left - 8} y={y(tick) + 4} textAnchor="end">
                  {texts[index]}
                </text>
              </g>
            ))}
            {bars.names.map((name, place) => (
              <g key={name} transform={`translate(${left + slot * place},0)`}>
                {bars.groups.map(({ field, label, values }, index) => {
                  const value = values[place];
                  return value == null ? null : (
                    <rect
                      key={label}
                      x={slot * 0.1 + bar * index}
                      width={Math.max(1, bar - 1)}
                      y={Math.min(y(value), y(0))}
                      height={Math.abs(y(value) - y(0))}
                      fill={colorOf(field, value, getFieldSeriesColor(field, theme).color)}
                    >
                      <title>{`${name}${bars.groups.length > 1 ? ` ${label}` : ''}: ${textOf(field, value)}`}</title>
                    </rect>
                  );
                })}
                <text x={slot / 2} y={innerHeight - 6} textAnchor="middle">
                  {shortened(name, slot)}
                </text>
              </g>
            ))}
          </svg>
        );
      }}
    </VizLayout>
  );
}

function barsOf(frames: DataFrame[]): Bars {
  for (const frame of frames) {
    const named = frame.fields.find(({ type }) => type === FieldType.string);
    if (named) {
      return {
        names: named.values.map(String),
        groups: frame.fields
          .filter(({ type }) => type === FieldType.number)
          .map((field) => ({ field, label: getFieldDisplayName(field, frame, frames), values: field.values })),
      };
    }
  }
  const fields = frames.flatMap((frame) =>
    frame.fields
      .filter(({ type }) => type === FieldType.number)
      .map((field) => ({ field, label: getFieldDisplayName(field, frame, frames) }))
  );
  return {
    names: fields.map(({ label }) => label),
    groups: fields.map(({ field, label }, place) => ({
      field,
      label,
      values: fields.map((_, other) => (other === place ? lastOf(field) : null)),
    })),
  };
}

function lastOf(field: Field): number | null {
  const last: unknown = reduceField({ field, reducers: ['lastNotNull'] })['lastNotNull'];
  return typeof last === 'number' ? last : null;
}

function textOf(field: Field | undefined, value: number): string {
  const shown = field?.display?.(value);
  return shown ? formattedValueToString(shown) : String(value);
}

function colorOf(field: Field, value: number, otherwise: string): string {
  return field.config.color?.mode === 'thresholds' ? (field.display?.(value).color ?? otherwise) : otherwise;
}

function shortened(name: string, width: number): string {
  const most = Math.max(1, Math.floor(width / (FONT_SIZE * 0.6)));
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}
