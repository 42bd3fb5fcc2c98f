/** Which series of a graph are hidden, by clicks on their names. */

/** Show a series alone, or all again where it is alone already. */
export function alone(name: string, names: string[], hidden: ReadonlySet<string>): Set<string> {
  const others = names.filter((other) => other !== name);
  const isAlone = !hidden.has(name) && others.every((other) => hidden.has(other));
  return new Set(isAlone ? [] : others);
}

/** Show a series or hide it, whatever the others are. */
export function toggled(name: string, hidden: ReadonlySet<string>): Set<string> {
  const changed = new Set(hidden);
  if (!changed.delete(name)) {
    changed.add(name);
  }
  return changed;
}
