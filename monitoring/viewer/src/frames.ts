/** Answers of Prometheus as Grafana's frames. */

import { FieldType, createDataFrame, formatLabels, renderLegendFormat, type DataFrame, type Field } from '@grafana/data';

import type { Answer, Labels, Sample } from './prometheus';
import type { Question } from './questions';

interface Series {
  labels: Labels;
  samples: Sample[];
}

/**
 * The frames of an answer.
 *
 * @param alone - Whether the panel asks nothing else; a table then calls its column Value.
 */
export function framesOf(question: Question, answer: Answer, alone: boolean): DataFrame[] {
  const series = seriesOf(answer);
  switch (question.format) {
    case 'table':
      return series.length ? [tableOf(question, series, alone)] : [];
    case 'heatmap':
      return buckets(series).map((one) => frameOf({ ...question, legend: '{{le}}' }, one));
    default:
      return series.map((one) => frameOf(question, one));
  }
}

/** What cannot be drawn is a gap. */
export function numberOf(written: string): number | null {
  const value = Number(written);
  return Number.isFinite(value) ? value : null;
}

function seriesOf(answer: Answer): Series[] {
  switch (answer.resultType) {
    case 'matrix':
      return answer.result.map(({ metric, values }) => ({ labels: metric, samples: values }));
    case 'vector':
      return answer.result.map(({ metric, value }) => ({ labels: metric, samples: [value] }));
    default:
      return [{ labels: {}, samples: [answer.result] }];
  }
}

function frameOf(question: Question, { labels, samples }: Series): DataFrame {
  return createDataFrame({
    refId: question.refId,
    fields: [
      {
        name: 'Time',
        type: FieldType.time,
        values: samples.map(([time]) => time * 1000),
        // A longer pause between two points is a gap.
        config: question.kind === 'range' ? { interval: question.step * 1000 } : {},
      },
      {
        name: 'Value',
        type: FieldType.number,
        values: samples.map(([, value]) => numberOf(value)),
        labels,
        config: { displayNameFromDS: nameOf(question.legend, labels, question.expr) },
      },
    ],
  });
}

/**
 * What a series is called: by the panel's form, or by its labels, or by what was asked.
 *
 * Undefined where Grafana makes a name of what tells the series apart.
 */
export function nameOf(legend: string, labels: Labels, expr: string): string | undefined {
  if (legend === '__auto' && Object.keys(labels).length > 0) {
    return undefined;
  }
  if (legend !== '' && legend !== '__auto') {
    return renderLegendFormat(legend, labels);
  }
  const { __name__: metric = '', ...rest } = labels;
  const written = Object.keys(rest).length ? formatLabels(rest) : '';
  return metric + written || expr;
}

/** A row a sample and a column a label, as Grafana's tables have it. */
function tableOf(question: Question, series: Series[], alone: boolean): DataFrame {
  const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort();
  const rows = series.flatMap(({ labels, samples }) => samples.map((sample) => ({ labels, sample })));
  const columns: Pick<Field, 'name' | 'type' | 'values' | 'config'>[] = [
    { name: 'Time', type: FieldType.time, values: rows.map(({ sample }) => sample[0] * 1000), config: {} },
    ...names.map((name) => ({
      name,
      type: FieldType.string,
      values: rows.map(({ labels }) => labels[name] ?? ''),
      config: {},
    })),
    {
      name: alone ? 'Value' : `Value #${question.refId}`,
      type: FieldType.number,
      values: rows.map(({ sample }) => numberOf(sample[1])),
      config: {},
    },
  ];
  return createDataFrame({ refId: question.refId, fields: columns });
}

/** Of a histogram's counts up to each bound: the counts between two bounds, the lowest first. */
function buckets(series: Series[]): Series[] {
  const bound = ({ labels }: Series): number => Number(labels['le']?.replace('+Inf', 'Infinity') ?? NaN);
  const rising = [...series].sort((one, other) => bound(one) - bound(other));
  return rising.map((upper, index) => {
    const below = new Map(rising[index - 1]?.samples ?? []);
    return {
      labels: upper.labels,
      samples: upper.samples.map(([time, value]) => [
        time,
        String(Math.max(0, Number(value) - Number(below.get(time) ?? 0))),
      ]),
    };
  });
}
