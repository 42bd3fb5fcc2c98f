import { EventBusSrv, type TimeRange } from '@grafana/data';
import { Alert, PanelContextProvider, RefreshPicker, TimeRangePicker } from '@grafana/ui';
import { useMemo } from 'react';

import type { Address } from '../address';
import type { Catalogue, Dashboard } from '../dashboard';
import { scopeOf } from '../resolve';
import { moved, rangeOf, refreshOf, REFRESHES, spanOf, widened, written } from '../time';
import { Grid } from './Grid';
import { Header } from './Header';
import type { useAddress } from './useAddress';
import { useRefresh } from './useRefresh';
import { useVariables } from './useVariables';
import { VariableBar } from './VariableBar';

interface DashboardPageProps {
  dashboard: Dashboard;
  catalogue: Catalogue;
  address: Address;
  change: ReturnType<typeof useAddress>[1];
}

/** One dashboard: what can be chosen on top, its panels below. */
export function DashboardPage({ dashboard, catalogue, address, change }: DashboardPageProps): JSX.Element {
  const from = address.from ?? dashboard.time?.from ?? 'now-1h';
  const to = address.to ?? dashboard.time?.to ?? 'now';
  const timeZone = address.timeZone ?? dashboard.timezone ?? 'browser';
  const refresh = address.refresh ?? (dashboard.refresh || '');
  const [moment, refreshNow] = useRefresh(refreshOf(refresh));
  const timeRange = useMemo(() => rangeOf(from, to, timeZone), [from, to, timeZone, moment]);
  const span = useMemo(() => spanOf(timeRange), [timeRange]);
  const variables = useVariables(dashboard, address.variables, span);
  const scope = useMemo(() => variables && scopeOf(variables), [variables]);
  const context = useMemo(
    () => ({
      eventsScope: 'panels',
      eventBus: new EventBusSrv(),
      sync: () => dashboard.graphTooltip ?? 0,
    }),
    [dashboard]
  );
  const problems = [...new Set((variables ?? []).flatMap(({ problem }) => problem ?? []))];
  return (
    <>
      <Header catalogue={catalogue} address={address} change={change} dashboard={dashboard}>
        <TimeRangePicker
          value={timeRange}
          timeZone={timeZone}
          onChange={(range: TimeRange) => change(written(range))}
          onChangeTimeZone={(zone) => change({ timeZone: zone })}
          onMoveBackward={() => change(moved(timeRange, -0.5))}
          onMoveForward={() => change(moved(timeRange, 0.5))}
          onZoom={() => change(widened(timeRange))}
          isOnCanvas
        />
        <RefreshPicker
          value={refresh}
          intervals={REFRESHES}
          onIntervalChanged={(interval) => change({ refresh: interval })}
          onRefresh={refreshNow}
          isOnCanvas
        />
      </Header>
      <main>
        {variables && (
          <div className="variables">
            <VariableBar
              variables={variables}
              onChange={(name, values) => change({ variables: new Map([...address.variables, [name, values]]) })}
            />
          </div>
        )}
        {problems.map((problem) => (
          <Alert key={problem} severity="error" title={problem} />
        ))}
        <PanelContextProvider value={context as never}>
          <Grid
            key={dashboard.uid}
            dashboard={dashboard}
            scope={scope}
            span={span}
            timeRange={timeRange}
            timeZone={timeZone}
            catalogue={catalogue}
            sharedCursor={dashboard.graphTooltip ?? 0}
            onZoom={(begin, end) => change({ from: String(Math.round(begin)), to: String(Math.round(end)) })}
          />
        </PanelContextProvider>
      </main>
    </>
  );
}
