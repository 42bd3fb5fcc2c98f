import { createTheme, ThemeContext } from '@grafana/data';
import { Alert, GlobalStyles, PortalContainer } from '@grafana/ui';
import { useEffect, useMemo } from 'react';

import type { Catalogue, Dashboard } from '../dashboard';
import { DashboardPage } from './DashboardPage';
import { ListPage } from './ListPage';
import { RunbookPage } from './RunbookPage';
import { useAddress } from './useAddress';
import { asJson, useFile } from './useFile';

const readCatalogue = asJson<Catalogue>;
const readDashboard = asJson<Dashboard>;

export function App(): JSX.Element {
  const [address, change] = useAddress();
  const mode = address.theme ?? (window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
  const theme = useMemo(() => createTheme({ colors: { mode } }), [mode]);
  const catalogue = useFile('index.json', readCatalogue);
  const entry = catalogue.content?.dashboards.find(({ uid }) => uid === address.uid);
  const dashboard = useFile(entry?.path, readDashboard);
  const title = dashboard.content?.title ?? address.runbook ?? 'Dashboards';
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    const { background, text, border, primary } = theme.colors;
    const used = {
      '--canvas': background.canvas,
      '--raised': background.primary,
      '--text': text.primary,
      '--faint': text.secondary,
      '--link': text.link,
      '--border': border.weak,
      '--focus': primary.main,
    };
    Object.entries(used).forEach(([name, value]) => document.documentElement.style.setProperty(name, value));
    document.documentElement.style.colorScheme = mode;
  }, [theme, mode]);
  const problem = catalogue.problem ?? dashboard.problem ?? missing(address.uid, catalogue.content, entry?.uid);
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div className="page">
        {problem !== undefined && <Alert severity="error" title={problem} />}
        {catalogue.content &&
          (address.runbook !== undefined ? (
            <RunbookPage name={address.runbook} catalogue={catalogue.content} address={address} change={change} />
          ) : address.uid === undefined ? (
            <ListPage catalogue={catalogue.content} address={address} change={change} />
          ) : (
            dashboard.content && (
              <DashboardPage
                dashboard={dashboard.content}
                catalogue={catalogue.content}
                address={address}
                change={change}
              />
            )
          ))}
      </div>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

function missing(wanted: string | undefined, catalogue: Catalogue | undefined, found: string | undefined): string | undefined {
  return wanted !== undefined && catalogue && found === undefined
    ? `There is no dashboard of the uid ${wanted} here; the list of dashboards names those that are.`
    : undefined;
}
