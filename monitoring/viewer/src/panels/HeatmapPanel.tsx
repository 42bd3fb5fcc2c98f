import { dateTimeFormat, formattedValueToString, getValueFormat, type FormattedValue } from '@grafana/data';
import { measureText, SeriesTable, useTheme2, VizTooltipContainer } from '@grafana/ui';
import { useEffect, useMemo, useRef, useState } from 'react';

import { cellsOf, heatColor, type Cells, type HeatColors } from '../heat';
import type { Drawing } from './drawing';

const FONT_SIZE = 12;
const TIME_AXIS = 24;
const LEGEND = 26;

interface HeatmapOptions {
  color?: HeatColors;
  cellGap?: number;
  legend?: { show?: boolean };
  cellValues?: { unit?: string; decimals?: number };
  filterValues?: { le?: number };
}

/** Rows of colours along the time. */
export function HeatmapPanel(drawing: Drawing): JSX.Element {
  const { frames, width, height, timeRange, timeZone } = drawing;
  const theme = useTheme2();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hovered, setHovered] = useState<Hovered>();
  const options = drawing.options as HeatmapOptions;
  const cells = useMemo(() => cellsOf(frames), [frames]);
  const colors = options.color ?? {};
  const least = colors.min ?? Math.min(cells.least, 0);
  const most = Math.max(colors.max ?? cells.most, least + 1e-9);
  const color = useMemo(() => heatColor(colors, theme), [colors, theme]);
  const show = shownBy(options, drawing);

  const legendHeight = options.legend?.show === false ? 0 : LEGEND;
  const left = Math.min(width / 3, Math.max(0, ...cells.rows.map((row) => measureText(row, FONT_SIZE).width)) + 16);
  const place: Place = {
    left,
    width: Math.max(1, width - left),
    height: Math.max(1, height - TIME_AXIS - legendHeight),
    from: timeRange.from.valueOf(),
    to: timeRange.to.valueOf(),
  };

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!canvas.current || !context) {
      return;
    }
    const scale = window.devicePixelRatio || 1;
    canvas.current.width = place.width * scale;
    canvas.current.height = place.height * scale;
    context.scale(scale, scale);
    const gap = options.cellGap ?? 1;
    const hiddenBelow = options.filterValues?.le ?? 1e-9;
    const row = place.height / Math.max(1, cells.rows.length);
    for (const cell of cells.cells) {
      if (cell.value <= hiddenBelow) {
        continue;
      }
      const [begin, end] = extent(cells, cell.column, place);
      context.fillStyle = color((cell.value - least) / (most - least));
      context.fillRect(begin, place.height - row * (cell.row + 1), Math.max(1, end - begin - gap), Math.max(1, row - gap));
    }
  }, [cells, place.width, place.height, place.from, place.to, color, least, most, options.cellGap, options.filterValues]);

  const onMove = (event: React.MouseEvent<HTMLCanvasElement>): void => {
    const { offsetX, offsetY } = event.nativeEvent;
    const row = Math.floor(((place.height - offsetY) / place.height) * cells.rows.length);
    const cell = cells.cells.find((one) => {
      const [begin, end] = extent(cells, one.column, place);
      return one.row === row && begin <= offsetX && offsetX < end;
    });
    setHovered(
      cell && {
        x: event.clientX,
        y: event.clientY,
        time: cells.times[cell.column] ?? 0,
        row: cells.rows[cell.row] ?? '',
        value: cell.value,
      }
    );
  };

  return (
    <div style={{ position: 'relative', width, height, fontSize: FONT_SIZE, color: theme.colors.text.primary }}>
      <Names rows={cells.rows} width={left} height={place.height} />
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${cells.rows.length} rows of values between ${show(cells.least)} and ${show(cells.most)}`}
        style={{ position: 'absolute', left, top: 0, width: place.width, height: place.height }}
        onMouseMove={onMove}
        onMouseLeave={() => setHovered(undefined)}
      />
      <Times place={place} timeZone={timeZone} />
      {legendHeight > 0 && (
        <div style={{ position: 'absolute', bottom: 0, left, display: 'flex', alignItems: 'center', gap: 8 }}>
          <span>{show(least)}</span>
          <span
            style={{
              width: Math.min(200, place.width / 2),
              height: 8,
              background: `linear-gradient(to right, ${[0, 0.2, 0.4, 0.6, 0.8, 1].map(color).join(',')})`,
            }}
          />
          <span>{show(most)}</span>
        </div>
      )}
      {hovered && (
        <VizTooltipContainer position={{ x: hovered.x, y: hovered.y }} offset={{ x: 10, y: 10 }}>
          <SeriesTable
            timestamp={dateTimeFormat(hovered.time, { timeZone })}
            series={[{ label: hovered.row, value: show(hovered.value) }]}
          />
        </VizTooltipContainer>
      )}
    </div>
  );
}

interface Hovered {
  x: number;
  y: number;
  time: number;
  row: string;
  value: number;
}

interface Place {
  left: number;
  width: number;
  height: number;
  from: number;
  to: number;
}

function Names({ rows, width, height }: { rows: string[]; width: number; height: number }): JSX.Element {
  const row = height / Math.max(1, rows.length);
  // Where rows are lower than a line of text, some go without a name.
  const each = Math.max(1, Math.ceil(FONT_SIZE / row));
  return (
    <>
      {rows.map(
        (name, index) =>
          index % each === 0 && (
            <div
              key={name}
              title={name}
              style={{
                position: 'absolute',
                top: height - row * (index + 0.5) - FONT_SIZE * 0.75,
                width: width - 8,
                textAlign: 'right',
                overflow: 'hidden',
                whiteSpace: 'nowrap',
                textOverflow: 'ellipsis',
              }}
            >
              {name}
            </div>
          )
      )}
    </>
  );
}

function Times({ place, timeZone }: { place: Place; timeZone: string }): JSX.Element {
  const count = Math.max(2, Math.min(6, Math.floor(place.width / 90)));
  const length = place.to - place.from;
  const format = length > 24 * 3600_000 ? 'MM-DD HH:mm' : 'HH:mm';
  return (
    <>
      {Array.from({ length: count }, (_, index) => {
        const share = (index + 0.5) / count;
        return (
          <div
            key={index}
            style={{
              position: 'absolute',
              top: place.height + 4,
              left: place.left + place.width * share,
              transform: 'translateX(-50%)',
              whiteSpace: 'nowrap',
            }}
          >
            {dateTimeFormat(place.from + length * share, { timeZone, format })}
          </div>
        );
      })}
    </>
  );
}

/** Pixels from where a column begins to where it ends: from the point before it to its own. */
function extent({ times }: Cells, column: number, { width, from, to }: Place): [number, number] {
  const step = times.slice(1).reduce((found, time, index) => Math.min(found, time - (times[index] ?? 0)), Infinity);
  const end = times[column] ?? from;
  const begin = end - (Number.isFinite(step) ? step : to - from);
  return [((begin - from) / (to - from)) * width, ((end - from) / (to - from)) * width];
}

/** Values of a heat map have a unit of their own. */
function shownBy({ cellValues }: HeatmapOptions, { fieldConfig }: Drawing): (value: number) => string {
  const unit = cellValues?.unit ?? fieldConfig.defaults.unit ?? 'short';
  return (value) => {
    const shown: FormattedValue = getValueFormat(unit)(value, cellValues?.decimals ?? fieldConfig.defaults.decimals);
    return Number.isFinite(value) ? formattedValueToString(shown) : '';
  };
}
