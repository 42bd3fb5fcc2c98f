import { getDisplayValueAlignmentFactors, getFieldDisplayValues, VizOrientation, type FieldDisplay } from '@grafana/data';
import type { PercentChangeColorMode } from '@grafana/schema';
import {
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  useTheme2,
  VizRepeater,
} from '@grafana/ui';
import { useRef } from 'react';

import { reduceOptionsOf, type Drawing } from './drawing';

interface StatOptions {
  colorMode?: BigValueColorMode;
  graphMode?: BigValueGraphMode;
  justifyMode?: BigValueJustifyMode;
  textMode?: BigValueTextMode;
  orientation?: VizOrientation;
  showPercentChange?: boolean;
  percentChangeColorMode?: PercentChangeColorMode;
  wideLayout?: boolean;
}

/** The newest value of each series, large, over its course. */
export function StatPanel(drawing: Drawing): JSX.Element {
  const { frames, fieldConfig, timeRange, timeZone, replaceVariables, width, height } = drawing;
  const theme = useTheme2();
  const counter = useRef(0);
  const options = drawing.options as StatOptions;
  const graphMode = options.graphMode ?? BigValueGraphMode.Area;
  const values = (): FieldDisplay[] =>
    getFieldDisplayValues({
      data: frames,
      fieldConfig,
      reduceOptions: reduceOptionsOf(drawing.options),
      replaceVariables,
      theme,
      timeZone,
      sparkline: graphMode !== BigValueGraphMode.None,
      percentChange: options.showPercentChange ?? false,
    });
  return (
    <VizRepeater
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      source={frames}
      renderCounter={counter.current}
      width={width}
      height={height}
      itemSpacing={3}
      autoGrid
      orientation={options.orientation ?? VizOrientation.Auto}
      renderValue={({ value, alignmentFactors, width: itemWidth, height: itemHeight, count }) => (
        <BigValue
          theme={theme}
          value={value.display}
          sparkline={value.sparkline && { ...value.sparkline, timeRange }}
          alignmentFactors={alignmentFactors}
          count={count}
          width={itemWidth}
          height={itemHeight}
          colorMode={options.colorMode ?? BigValueColorMode.Value}
          graphMode={graphMode}
          justifyMode={options.justifyMode ?? BigValueJustifyMode.Auto}
          textMode={options.textMode ?? BigValueTextMode.Auto}
          disableWideLayout={options.wideLayout === false}
          percentChangeColorMode={options.percentChangeColorMode}
        />
      )}
    />
  );
}
