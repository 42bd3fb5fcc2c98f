/** Links of dashboards and panels. */

import { textUtil } from '@grafana/data';

import { writeAddress, type Address } from './address';
import type { Catalogue, Entry, Link } from './dashboard';
import { interpolate, type Scope } from './interpolation';

export interface Anchor {
  title: string;
  href: string;
  tooltip: string;
  newTab: boolean;
}

/** A link with the dashboard's variables in it; a runbook that is here opens here. */
export function anchorOf(link: Link, scope: Scope, catalogue: Catalogue): Anchor {
  const url = interpolate(link.url ?? '', scope, 'text');
  const runbook = runbookIn(url, catalogue);
  return {
    title: interpolate(link.title, scope, 'text'),
    href: runbook === undefined ? textUtil.sanitizeUrl(url) : writeAddress({ runbook, variables: new Map() }),
    tooltip: link.tooltip ?? '',
    newTab: Boolean(link.targetBlank),
  };
}

/** The dashboards that a link of tags means: those that have all of them. */
export function meant({ tags = [] }: Link, catalogue: Catalogue): Entry[] {
  return catalogue.dashboards.filter((entry) => tags.every((tag) => entry.tags.includes(tag)));
}

/** The way to another dashboard, with the range of time where the link keeps it. */
export function wayTo(uid: string, address: Address, keep: Pick<Link, 'keepTime' | 'includeVars'>): string {
  const { from, to, theme, refresh } = address;
  return writeAddress({
    uid,
    ...(keep.keepTime ? { from, to, refresh } : {}),
    theme,
    variables: keep.includeVars ? address.variables : new Map(),
  });
}

/** The HTML of a runbook, whose links lead to other runbooks here, to other hosts, or nowhere. */
export function linkedHere(html: string, catalogue: Catalogue): string {
  return html.replace(/<a href="([^"]*)"[^>]*>(.*?)<\/a>/gs, (whole, url: string, text: string) => {
    const runbook = runbookIn(url, catalogue);
    if (runbook !== undefined) {
      return `<a href="${writeAddress({ runbook, variables: new Map() })}">${text}</a>`;
    }
    // What is beside a runbook in the project is not beside this page.
    return /^(https?:|#)/.test(url) ? whole : text;
  });
}

function runbookIn(url: string, { runbooks }: Catalogue): string | undefined {
  const name = /(?:^|\/)([A-Za-z]\w*)\/README\.md$/.exec(url)?.[1];
  return name !== undefined && runbooks.includes(name) && !/^[a-z]+:/.test(url) ? name : undefined;
}
