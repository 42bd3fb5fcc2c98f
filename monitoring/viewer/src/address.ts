/** What the page's address says, so that a link opens the same sight. */

export interface Address {
  /** Of the dashboard; the list of dashboards without one. */
  uid?: string;
  /** Name of a runbook that is shown. */
  runbook?: string;
  /** As Grafana writes times: `now-30m`, or milliseconds since 1970. */
  from?: string;
  to?: string;
  /** Such as `10s`; empty for never. */
  refresh?: string;
  timeZone?: string;
  theme?: 'dark' | 'light';
  variables: ReadonlyMap<string, string[]>;
}

const NAMES = { uid: 'd', runbook: 'runbook', from: 'from', to: 'to', refresh: 'refresh', timeZone: 'timezone' } as const;
const PREFIX = 'var-';

/** Read an address: a query, or the same behind a hash. */
export function readAddress(search: string, hash = ''): Address {
  const said = new URLSearchParams(search);
  for (const [name, value] of new URLSearchParams(hash.replace(/^#\??/, ''))) {
    said.append(name, value);
  }
  const address: Address = {
    variables: new Map(
      [...new Set(said.keys())]
        .filter((name) => name.startsWith(PREFIX))
        .map((name) => [name.slice(PREFIX.length), said.getAll(name)])
    ),
  };
  for (const [field, name] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) {
    const value = said.get(name);
    if (value !== null) {
      address[field] = value;
    }
  }
  const theme = said.get('theme');
  if (theme === 'dark' || theme === 'light') {
    address.theme = theme;
  }
  return address;
}

/** Write an address as a query, `?` and all. */
export function writeAddress(address: Address): string {
  const said = new URLSearchParams();
  for (const [field, name] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) {
    const value = address[field];
    if (value !== undefined) {
      said.append(name, value);
    }
  }
  if (address.theme) {
    said.append('theme', address.theme);
  }
  for (const [name, values] of address.variables) {
    for (const value of values) {
      said.append(PREFIX + name, value);
    }
  }
  return `?${said.toString()}`;
}
