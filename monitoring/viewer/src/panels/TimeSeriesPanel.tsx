import {
  compareArrayValues,
  compareDataFrameStructures,
  dateTimeFormat,
  FieldType,
  formattedValueToString,
  getFieldDisplayName,
  getFieldSeriesColor,
  type DashboardCursorSync,
  type DataFrame,
} from '@grafana/data';
import {
  PanelContextProvider,
  SeriesTable,
  SeriesVisibilityChangeMode,
  TimeSeries,
  TooltipPlugin2,
  usePanelContext,
  useTheme2,
} from '@grafana/ui';
import { useMemo, useRef, useState } from 'react';

import { alone, toggled } from '../visibility';
import { legendOptionsOf, type Drawing } from './drawing';

/** Grafana's numbers of what a tooltip follows; its names are not exported. */
const FOLLOWS_ONE = 0;
const FOLLOWS_ALL = 1;
/** A tooltip of more than these hides what it is about. */
const MOST_IN_TOOLTIP = 20;

/** Lines, areas and bars along the time. */
export function TimeSeriesPanel(drawing: Drawing): JSX.Element {
  const { frames, width, height, timeRange, timeZone, options } = drawing;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const shown = useMemo(() => withHidden(frames, hidden), [frames, hidden]);
  const structureRev = useStructure(shown);
  // A legend that is a new object makes the plot anew.
  const legend = useMemo(() => legendOptionsOf(options), [options]);
  const context = usePanelContext();
  const onToggleSeriesVisibility = (name: string, mode: SeriesVisibilityChangeMode): void => {
    setHidden(mode === SeriesVisibilityChangeMode.ToggleSelection ? alone(name, namesOf(frames), hidden) : toggled(name, hidden));
  };
  const all = (options['tooltip'] as { mode?: string } | undefined)?.mode === 'multi';
  const sort = (options['tooltip'] as { sort?: string } | undefined)?.sort ?? 'none';
  return (
    <PanelContextProvider value={{ ...context, onToggleSeriesVisibility }}>
      <TimeSeries
        frames={shown}
        structureRev={structureRev}
        width={width}
        height={height}
        timeRange={timeRange}
        timeZone={timeZone}
        legend={legend as never}
      >
        {(config, aligned) => (
          <TooltipPlugin2
            config={config}
            hoverMode={all ? FOLLOWS_ALL : FOLLOWS_ONE}
            syncMode={drawing.sharedCursor as DashboardCursorSync}
            syncScope={context.eventsScope}
            queryZoom={({ from, to }) => drawing.onZoom(from, to)}
            render={(_, points, series) => (
              <Tooltip
                frame={aligned}
                points={points}
                only={all ? undefined : series}
                active={series}
                sort={sort}
                timeZone={timeZone}
              />
            )}
          />
        )}
      </TimeSeries>
    </PanelContextProvider>
  );
}

interface TooltipProps {
  frame: DataFrame;
  /** Of each field, the place of the point that is meant. */
  points: (number | null)[];
  only?: number | null;
  active: number | null;
  sort: string;
  timeZone: string;
}

function Tooltip({ frame, points, only, active, sort, timeZone }: TooltipProps): JSX.Element {
  const theme = useTheme2();
  const rows = frame.fields.flatMap((field, index) => {
    const point = points[index];
    const value: unknown = point == null ? null : field.values[point];
    const isMeant = only === undefined || only === null || only === index;
    if (index === 0 || value == null || !isMeant || field.config.custom?.hideFrom?.viz) {
      return [];
    }
    const shown = field.display?.(value);
    return [
      {
        label: getFieldDisplayName(field, frame),
        value: shown ? formattedValueToString(shown) : String(value),
        color: getFieldSeriesColor(field, theme).color,
        isActive: active === index,
        number: Number(value),
      },
    ];
  });
  if (sort !== 'none') {
    rows.sort((one, other) => (sort === 'asc' ? one.number - other.number : other.number - one.number));
  }
  const moment = points.find((point) => point != null);
  const time: unknown = moment == null ? undefined : frame.fields[0]?.values[moment];
  return (
    <div className="tooltip">
      <SeriesTable
        timestamp={typeof time === 'number' ? dateTimeFormat(time, { timeZone }) : ''}
        series={rows.slice(0, MOST_IN_TOOLTIP)}
      />
      {rows.length > MOST_IN_TOOLTIP && <div>and {rows.length - MOST_IN_TOOLTIP} more</div>}
    </div>
  );
}

function namesOf(frames: DataFrame[]): string[] {
  return frames.flatMap((frame) =>
    frame.fields
      .filter(({ type }) => type !== FieldType.time)
      .map((field) => getFieldDisplayName(field, frame, frames))
  );
}

function withHidden(frames: DataFrame[], hidden: ReadonlySet<string>): DataFrame[] {
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => {
      const viz = field.type !== FieldType.time && hidden.has(getFieldDisplayName(field, frame, frames));
      const custom = { ...field.config.custom, hideFrom: { ...field.config.custom?.hideFrom, viz } };
      return { ...field, config: { ...field.config, custom } };
    }),
  }));
}

/** A number that changes when names, units or colours do, and not when values do. */
function useStructure(frames: DataFrame[]): number {
  const last = useRef({ frames, revision: 1 });
  if (last.current.frames !== frames) {
    const same = compareArrayValues(last.current.frames, frames, compareDataFrameStructures);
    last.current = { frames, revision: last.current.revision + (same ? 0 : 1) };
  }
  return last.current.revision;
}
