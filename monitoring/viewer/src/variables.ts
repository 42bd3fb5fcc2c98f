/** A dashboard's variables: which values each can take, and which it has. */

import type { VariableModel } from './dashboard';
import type { Value } from './interpolation';

export const ALL = '$__all';

/** A question for values: a label of the series that a selector means. */
export interface LabelQuestion {
  label: string;
  selector: string;
}

/** A variable with its options and what is chosen of them; `$__all` is a choice of its own. */
export interface Variable {
  model: VariableModel;
  options: string[];
  chosen: string[];
  /** A sentence, where its values could not be had. */
  problem?: string;
}

export function queryOf({ query, definition }: VariableModel): string {
  return (typeof query === 'string' ? query : query?.query) ?? definition ?? '';
}

/** What `label_values(...)` asks for; undefined for any other question. */
export function labelQuestion(query: string): LabelQuestion | undefined {
  const match = /^\s*label_values\(\s*(?:(.+),\s*)?([a-zA-Z_]\w*)\s*\)\s*$/s.exec(query);
  return match ? { selector: (match[1] ?? '').trim(), label: match[2] ?? '' } : undefined;
}

/** The options of a variable that asks nothing. */
export function fixedOptions(model: VariableModel): string[] {
  switch (model.type) {
    case 'custom':
    case 'interval':
      return queryOf(model)
        .split(/(?<!\\),/)
        .map((option) => option.trim().replace(/\\,/g, ','))
        .map((option) => /^.+?\s:\s(.+)$/.exec(option)?.[1] ?? option)
        .filter((option) => option !== '');
    case 'constant':
    case 'textbox':
    case 'datasource':
      return [queryOf(model)];
    default:
      return [];
  }
}

/** What was answered, as the variable's pattern and order want it. */
export function asOptions(values: string[], { regex = '', sort = 0 }: VariableModel): string[] {
  const pattern = /^\/(.*)\/(\w*)$/s.exec(regex);
  const kept = pattern
    ? values.flatMap((value) => {
        const match = new RegExp(pattern[1] ?? '', pattern[2]?.replace('g', '')).exec(value);
        return match ? [match.groups?.['value'] ?? match[1] ?? value] : [];
      })
    : values;
  return sorted([...new Set(kept)], sort);
}

/** Grafana's numbers of orders: 1 and 2 alphabetic, 3 and 4 by number, 5 and 6 whatever the case, 7 and 8 natural. */
function sorted(values: string[], sort: number): string[] {
  if (sort === 0) {
    return values;
  }
  const numeric = (value: string): number => Number(/\d+(\.\d+)?/.exec(value)?.[0] ?? -1);
  const orders: ((one: string, other: string) => number)[] = [
    (one, other) => (one < other ? -1 : Number(one > other)),
    (one, other) => numeric(one) - numeric(other),
    (one, other) => one.toLowerCase().localeCompare(other.toLowerCase()),
    (one, other) => one.localeCompare(other, undefined, { numeric: true, sensitivity: 'base' }),
  ];
  const rising = [...values].sort(orders[Math.floor((sort - 1) / 2)]);
  return sort % 2 ? rising : rising.reverse();
}

/**
 * What is chosen: what the address says, or the dashboard, as far as there are such options.
 *
 * @param wanted - Of the address; undefined where it says nothing.
 */
export function chosenOf(model: VariableModel, options: string[], wanted: string[] | undefined): string[] {
  if (model.type === 'textbox') {
    return [wanted?.[0] ?? options[0] ?? ''];
  }
  const said = model.current?.value;
  const preset = said === undefined ? [] : [said].flat();
  for (const candidate of [wanted ?? [], preset]) {
    if (model.includeAll && candidate.includes(ALL)) {
      return [ALL];
    }
    const there = candidate.filter((value) => options.includes(value));
    if (there.length > 0) {
      return model.multi ? there : there.slice(0, 1);
    }
  }
  return model.includeAll ? [ALL] : options.slice(0, 1);
}

/** What a variable stands for in a question. */
export function valueOf({ model, options, chosen }: Variable): Value {
  const multi = Boolean(model.multi || model.includeAll);
  if (!chosen.includes(ALL)) {
    return { values: chosen, multi };
  }
  return model.allValue ? { values: options, multi, all: model.allValue } : { values: options, multi };
}

/** Whether a variable is shown: constants and datasources are not, as there is one answer. */
export function isShown({ type, hide }: VariableModel): boolean {
  return hide !== 2 && ['query', 'custom', 'interval', 'textbox'].includes(type);
}

