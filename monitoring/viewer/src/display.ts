/** Units, names, colours and thresholds of fields, by Grafana's own rules. */

import {
  applyFieldOverrides,
  FieldConfigOptionsRegistry,
  type DataFrame,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  type GrafanaTheme2,
  type InterpolateFunction,
} from '@grafana/data';

/** What Grafana assumes of a panel type where a dashboard says nothing. */
const ASSUMED: Record<string, Record<string, unknown>> = {
  timeseries: {
    drawStyle: 'line',
    lineInterpolation: 'linear',
    lineWidth: 1,
    fillOpacity: 0,
    gradientMode: 'none',
    showPoints: 'auto',
    pointSize: 5,
    spanNulls: false,
    axisPlacement: 'auto',
    scaleDistribution: { type: 'linear' },
    stacking: { mode: 'none', group: 'A' },
    hideFrom: { viz: false, legend: false, tooltip: false },
  },
  table: { align: 'auto', cellOptions: { type: 'auto' } },
};

export interface Look {
  theme: GrafanaTheme2;
  timeZone: string;
  replaceVariables: InterpolateFunction;
}

/** The panel's own settings of fields, whole: with what Grafana assumes where it says nothing. */
export function fieldConfigOf(panelType: string, said: FieldConfigSource | undefined): FieldConfigSource {
  const defaults = said?.defaults ?? {};
  return {
    defaults: {
      ...defaults,
      color: defaults.color ?? { mode: panelType === 'timeseries' || panelType === 'piechart' ? 'palette-classic' : 'thresholds' },
      thresholds: {
        mode: defaults.thresholds?.mode ?? ('absolute' as never),
        // The JSON cannot say minus infinity, and has null in its place.
        steps: (defaults.thresholds?.steps ?? [{ value: -Infinity, color: 'green' }]).map((step) => ({
          ...step,
          value: (step.value as number | null) ?? -Infinity,
        })),
      },
      custom: { ...ASSUMED[panelType], ...defaults.custom },
    },
    overrides: said?.overrides ?? [],
  };
}

/** Frames whose fields know how they are shown. */
export function dressed(frames: DataFrame[], fieldConfig: FieldConfigSource, look: Look): DataFrame[] {
  return applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: registryFor(fieldConfig),
    ...look,
  });
}

/** What is named in a panel's settings, each taken as it is. */
function registryFor({ defaults, overrides }: FieldConfigSource): FieldConfigOptionsRegistry {
  const ids = new Set([
    ...Object.keys(defaults).filter((key) => key !== 'custom'),
    ...Object.keys(defaults.custom ?? {}).map((key) => `custom.${key}`),
    ...overrides.flatMap(({ properties }) => properties.map(({ id }) => id)),
  ]);
  return new FieldConfigOptionsRegistry(() => [...ids].map(property));
}

function property(id: string): FieldConfigPropertyItem {
  const isCustom = id.startsWith('custom.');
  return {
    id,
    name: id,
    path: isCustom ? id.slice('custom.'.length) : id,
    isCustom,
    process: (value: unknown) => value,
    shouldApply: () => true,
    editor: () => null,
    override: () => null,
  };
}
