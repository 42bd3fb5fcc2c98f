/** Round numbers along an axis. */

/** About so many round numbers from 0, or from the least if it is lower, up to the most. */
export function ticksOf(least: number, most: number, about: number): number[] {
  const from = Math.min(0, least);
  const length = Math.max(0, most) - from;
  if (!(length > 0)) {
    return [0];
  }
  const rough = length / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(from / step);
  const last = Math.ceil(Math.max(0, most) / step);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}
