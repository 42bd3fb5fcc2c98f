/** Slices of a pie, as paths of SVG. */

export interface Slice {
  index: number;
  /** Of the whole, between 0 and 1. */
  share: number;
  path: string;
}

/** Slices in the order of the values, clockwise from the top; nothing where there is nothing to share. */
export function slicesOf(values: number[], radius: number, hole: number): Slice[] {
  const shared = values.map((value) => Math.max(0, value));
  const whole = shared.reduce((sum, value) => sum + value, 0);
  if (whole === 0) {
    return [];
  }
  let begin = 0;
  return shared.flatMap((value, index) => {
    const share = value / whole;
    const slice = { index, share, path: ring(begin, begin + share, radius, hole) };
    begin += share;
    return share > 0 ? [slice] : [];
  });
}

function ring(begin: number, end: number, radius: number, hole: number): string {
  // An arc that ends where it begins is none, so that a whole ring is a little less.
  const last = Math.min(end, begin + 0.99999);
  const large = last - begin > 0.5 ? 1 : 0;
  return [
    `M${at(begin, radius)}`,
    `A${radius},${radius},0,${large},1,${at(last, radius)}`,
    `L${at(last, hole)}`,
    `A${hole},${hole},0,${large},0,${at(begin, hole)}`,
    'Z',
  ].join('');
}

function at(turn: number, radius: number): string {
  const angle = turn * 2 * Math.PI;
  return `${(radius * Math.sin(angle)).toFixed(3)},${(-radius * Math.cos(angle)).toFixed(3)}`;
}
