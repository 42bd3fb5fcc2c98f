import { useEffect, useState } from 'react';

import type { Dashboard } from '../dashboard';
import { askLabelValues } from '../prometheus';
import { resolved } from '../resolve';
import type { Span } from '../steps';
import type { Variable } from '../variables';

/** A dashboard's variables, asked for anew with each span; undefined before the first answer. */
export function useVariables(
  dashboard: Dashboard,
  wanted: ReadonlyMap<string, string[]>,
  span: Span
): Variable[] | undefined {
  const [variables, setVariables] = useState<Variable[]>();
  useEffect(() => {
    const ending = new AbortController();
    const ask = ({ label, selector }: { label: string; selector: string }): Promise<string[]> =>
      askLabelValues(label, selector, span, ending.signal);
    void resolved(dashboard.templating?.list ?? [], wanted, ask).then((found) => {
      if (!ending.signal.aborted) {
        setVariables((before) => (JSON.stringify(before) === JSON.stringify(found) ? before : found));
      }
    });
    return () => ending.abort();
  }, [dashboard, wanted, span]);
  return variables;
}
