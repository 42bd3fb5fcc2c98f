import { getDisplayValueAlignmentFactors, getFieldDisplayValues, VizOrientation, type FieldDisplay } from '@grafana/data';
import { BarGaugeDisplayMode, type BarGaugeNamePlacement, type BarGaugeValueMode } from '@grafana/schema';
import { BarGauge, useTheme2, VizRepeater } from '@grafana/ui';

import { reduceOptionsOf, type Drawing } from './drawing';

interface BarGaugeOptions {
  displayMode?: BarGaugeDisplayMode;
  orientation?: VizOrientation;
  showUnfilled?: boolean;
  valueMode?: BarGaugeValueMode;
  namePlacement?: BarGaugeNamePlacement;
  minVizWidth?: number;
  minVizHeight?: number;
  maxVizHeight?: number;
}

/** A bar a series. */
export function BarGaugePanel(drawing: Drawing): JSX.Element {
  const { frames, fieldConfig, timeZone, replaceVariables, width, height } = drawing;
  const theme = useTheme2();
  const options = drawing.options as BarGaugeOptions;
  const values = (): FieldDisplay[] =>
    getFieldDisplayValues({
      data: frames,
      fieldConfig,
      reduceOptions: reduceOptionsOf(drawing.options),
      replaceVariables,
      theme,
      timeZone,
    });
  return (
    <VizRepeater
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      source={frames}
      renderCounter={0}
      width={width}
      height={height}
      itemSpacing={8}
      minVizWidth={options.minVizWidth ?? 8}
      minVizHeight={options.minVizHeight ?? 16}
      maxVizHeight={options.maxVizHeight ?? 300}
      orientation={options.orientation ?? VizOrientation.Auto}
      renderValue={({ value, alignmentFactors, width: itemWidth, height: itemHeight, orientation }) => (
        <BarGauge
          theme={theme}
          value={value.display}
          field={value.field}
          display={value.colIndex === undefined ? undefined : value.view?.getFieldDisplayProcessor(value.colIndex)}
          alignmentFactors={alignmentFactors}
          width={itemWidth}
          height={itemHeight}
          orientation={orientation}
          displayMode={options.displayMode ?? BarGaugeDisplayMode.Gradient}
          showUnfilled={options.showUnfilled ?? true}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          itemSpacing={8}
          isOverflow={false}
        />
      )}
    />
  );
}
