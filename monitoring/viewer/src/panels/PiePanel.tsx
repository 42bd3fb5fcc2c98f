import { formattedValueToString, getFieldDisplayValues, type DisplayValue } from '@grafana/data';
import { LegendDisplayMode } from '@grafana/schema';
import { useTheme2, VizLayout, VizLegend, type VizLegendItem } from '@grafana/ui';
import { useState } from 'react';

import { slicesOf } from '../pie';
import { legendOptionsOf, reduceOptionsOf, type Drawing } from './drawing';

const MARGIN = 8;

/** What each series has of the whole. */
export function PiePanel(drawing: Drawing): JSX.Element {
  const { frames, fieldConfig, timeZone, replaceVariables, width, height, options } = drawing;
  const theme = useTheme2();
  const [active, setActive] = useState<number>();
  const found = getFieldDisplayValues({
    data: frames,
    fieldConfig,
    reduceOptions: reduceOptionsOf(options),
    replaceVariables,
    theme,
    timeZone,
  }).map(({ display }) => display);
  const sum = found.reduce((total, { numeric }) => total + positive(numeric), 0);
  const legend = legendOptionsOf(options);
  const items: VizLegendItem[] = found.map((value) => ({
    label: value.title ?? '',
    color: value.color ?? theme.colors.text.secondary,
    yAxis: 0,
    getDisplayValues: () => shownIn(legend.values ?? [], value, sum),
  }));
  return (
    <VizLayout
      width={width}
      height={height}
      legend={
        legend.showLegend ? (
          <VizLayout.Legend placement={legend.placement} maxHeight="40%" maxWidth="60%">
            <VizLegend
              items={items}
              placement={legend.placement}
              displayMode={legend.displayMode === 'table' ? LegendDisplayMode.Table : LegendDisplayMode.List}
              readonly
            />
          </VizLayout.Legend>
        ) : null
      }
    >
      {(innerWidth, innerHeight) => {
        const radius = Math.max(0, Math.min(innerWidth, innerHeight) / 2 - MARGIN);
        const hole = options['pieType'] === 'donut' ? radius * 0.6 : 0;
        return (
          <svg width={innerWidth} height={innerHeight} role="img" aria-label={spoken(found, sum)}>
            <g transform={`translate(${innerWidth / 2},${innerHeight / 2})`}>
              {slicesOf(found.map(({ numeric }) => positive(numeric)), radius, hole).map(({ index, path }) => (
                <path
                  key={index}
                  d={path}
                  fill={found[index]?.color ?? theme.colors.text.secondary}
                  stroke={theme.colors.background.primary}
                  strokeWidth={1}
                  opacity={active === undefined || active === index ? 1 : 0.5}
                  onMouseEnter={() => setActive(index)}
                  onMouseLeave={() => setActive(undefined)}
                >
                  <title>{told(found[index], sum)}</title>
                </path>
              ))}
            </g>
          </svg>
        );
      }}
    </VizLayout>
  );
}

function shownIn(wanted: string[], value: DisplayValue, sum: number): DisplayValue[] {
  return wanted.flatMap((kind) => {
    switch (kind) {
      case 'value':
        return [{ ...value, title: 'Value' }];
      case 'percent':
        return [{ numeric: value.numeric / sum, text: percent(value, sum), title: 'Percent' }];
      default:
        return [];
    }
  });
}

function told(value: DisplayValue | undefined, sum: number): string {
  return value ? `${value.title ?? ''}: ${formattedValueToString(value)} (${percent(value, sum)})` : '';
}

function spoken(values: DisplayValue[], sum: number): string {
  return values.map((value) => told(value, sum)).join(', ');
}

function percent({ numeric }: DisplayValue, sum: number): string {
  const share = sum > 0 ? (positive(numeric) / sum) * 100 : 0;
  return `${share > 0 && share < 1 ? share.toFixed(1) : Math.round(share)}%`;
}

function positive(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0;
}
