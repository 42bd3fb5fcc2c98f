/** Variables in texts: `$name`, `${name}`, `${name:format}` and `[[name]]`, as Grafana reads them. */

/** What a variable stands for. */
export interface Value {
  /** What is chosen; all options where All is. */
  values: string[];
  /** Whether more than one can be chosen: a query then gets a regular expression. */
  multi: boolean;
  /** What All stands for where the dashboard says so itself; it is taken as it is. */
  all?: string;
}

export type Scope = ReadonlyMap<string, Value>;

/** What becomes of a variable that says no format. */
export type Use = 'query' | 'text';

const REFERENCE = /\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]/g;

/** Put values in the place of variables; a name that is not known stays as it is. */
export function interpolate(text: string, scope: Scope, use: Use): string {
  return text.replace(
    REFERENCE,
    (whole: string, plain?: string, braced?: string, format?: string, square?: string, other?: string) => {
      const value = scope.get(plain ?? braced ?? square ?? '');
      return value ? written(value, format ?? other ?? use) : whole;
    }
  );
}

/** The variables that a text names, in their order. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map((match) => match[1] ?? match[2] ?? match[4] ?? '');
}

/** A value that is one text. */
export function single(value: string): Value {
  return { values: [value], multi: false };
}

function written({ values, multi, all }: Value, format: string): string {
  if (all !== undefined) {
    return all;
  }
  switch (format) {
    case 'query':
      return multi ? expression(values) : quoted(values.join('|'));
    case 'regex':
      return expression(values);
    case 'pipe':
      return values.join('|');
    case 'doublequote':
      return values.map((value) => `"${quoted(value)}"`).join(',');
    case 'percentencode':
      return encodeURIComponent(values.join(','));
    case 'text':
      return values.join(' + ');
    default:
      return values.join(',');
  }
}

/** Of PromQL: what a regular expression must match, inside of a quoted text. */
function expression(values: string[]): string {
  const escaped = values.map((value) => value.replace(/[\\^$*+?.()|[\]{}"]/g, (sign) => `\\\\${sign}`));
  return escaped.length === 1 ? (escaped[0] ?? '') : `(${escaped.join('|')})`;
}

function quoted(value: string): string {
  return value.replace(/[\\"]/g, (sign) => `\\${sign}`);
}
