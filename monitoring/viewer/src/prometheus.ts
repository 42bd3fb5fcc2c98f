/** Questions to Prometheus, which serves this page too, so that its API is beside it. */

import type { Span } from './steps';

const API = '../api/v1/';

export type Labels = Record<string, string>;
/** Seconds since 1970, and the value as Prometheus writes it. */
export type Sample = [time: number, value: string];

export interface Matrix {
  resultType: 'matrix';
  result: { metric: Labels; values: Sample[] }[];
}

export interface Vector {
  resultType: 'vector';
  result: { metric: Labels; value: Sample }[];
}

export interface Scalar {
  resultType: 'scalar' | 'string';
  result: Sample;
}

export type Answer = Matrix | Vector | Scalar;

/** The message is a sentence for whoever looks at the panel. */
export class QueryError extends Error {}

export interface RangeQuestion {
  expr: string;
  span: Span;
  step: number;
}

export async function askRange({ expr, span, step }: RangeQuestion, signal: AbortSignal): Promise<Answer> {
  const start = Math.floor(span.from / step) * step;
  const end = Math.floor(span.to / step) * step;
  return ask<Answer>('query_range', { query: expr, start, end, step }, signal);
}

export async function askInstant(expr: string, time: number, signal: AbortSignal): Promise<Answer> {
  return ask<Answer>('query', { query: expr, time }, signal);
}

/** Values of a label, of the series that a selector means, or of all. */
export async function askLabelValues(
  label: string,
  selector: string,
  span: Span,
  signal: AbortSignal
): Promise<string[]> {
  const of: Record<string, string | number> = { start: span.from, end: span.to };
  if (selector !== '') {
    of['match[]'] = selector;
  }
  return ask<string[]>(`label/${encodeURIComponent(label)}/values?${encoded(of).toString()}`, undefined, signal);
}

async function ask<T>(
  path: string,
  form: Record<string, string | number> | undefined,
  signal: AbortSignal
): Promise<T> {
  let response: Response;
  let body: { status?: string; data?: T; error?: string } = {};
  try {
    response = await fetch(API + path, form ? { method: 'POST', body: encoded(form), signal } : { signal });
  } catch (problem) {
    if (signal.aborted) {
      throw problem;
    }
    throw new QueryError('Prometheus cannot be reached; look whether it runs.');
  }
  try {
    body = (await response.json()) as typeof body;
  } catch (problem) {
    if (signal.aborted) {
      throw problem;
    }
    // What stands in between may answer by a page.
  }
  if (!response.ok || body.status !== 'success' || body.data === undefined) {
    throw new QueryError(refusal(response.status, body.error));
  }
  return body.data;
}

function refusal(status: number, error: string | undefined): string {
  return error
    ? `Prometheus refuses the question: ${error.replace(/\.$/, '')}.`
    : `Prometheus answers with status ${status} and gives no reason.`;
}

function encoded(form: Record<string, string | number>): URLSearchParams {
  return new URLSearchParams(Object.entries(form).map(([name, value]) => [name, String(value)]));
}
