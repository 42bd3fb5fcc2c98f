import { Dropdown, IconButton, Menu, ToolbarButton, useTheme2 } from '@grafana/ui';
import type { ReactNode } from 'react';

import { writeAddress, type Address } from '../address';
import type { Catalogue, Dashboard, Link } from '../dashboard';
import { anchorOf, meant, wayTo } from '../links';
import type { useAddress } from './useAddress';

interface HeaderProps {
  catalogue: Catalogue;
  address: Address;
  change: ReturnType<typeof useAddress>[1];
  dashboard?: Dashboard;
  title?: string;
  children?: ReactNode;
}

/** The way back to the list, links, and what is given as children. */
export function Header({ catalogue, address, change, dashboard, title, children }: HeaderProps): JSX.Element {
  const { isDark } = useTheme2();
  const home = writeAddress({ theme: address.theme, variables: new Map() });
  const here = dashboard?.title ?? title;
  return (
    <header className="header">
      <nav aria-label="Where this is">
        {here ? <a href={home}>Dashboards</a> : <h1>Dashboards</h1>}
        {here && <span aria-hidden>/</span>}
        {here && <h1 title={dashboard?.description ?? ''}>{here}</h1>}
      </nav>
      <div className="tools">
        {(dashboard?.links ?? []).map((link) => (
          <DashboardLink key={link.title} link={link} catalogue={catalogue} address={address} />
        ))}
        {children}
        <IconButton
          name="adjust-circle"
          size="lg"
          aria-label={isDark ? 'Light colours' : 'Dark colours'}
          tooltip={isDark ? 'Light colours' : 'Dark colours'}
          onClick={() => change({ theme: isDark ? 'light' : 'dark' })}
        />
      </div>
    </header>
  );
}

interface DashboardLinkProps {
  link: Link;
  catalogue: Catalogue;
  address: Address;
}

function DashboardLink({ link, catalogue, address }: DashboardLinkProps): JSX.Element {
  if (link.type !== 'dashboards') {
    const { title, href, tooltip, newTab } = anchorOf(link, new Map(), catalogue);
    return (
      <a href={href} title={tooltip} target={newTab ? '_blank' : undefined} rel="noreferrer">
        {title}
      </a>
    );
  }
  const entries = meant(link, catalogue);
  if (!link.asDropdown) {
    return (
      <>
        {entries.map(({ uid, title }) => (
          <a key={uid} href={wayTo(uid, address, link)}>
            {title}
          </a>
        ))}
      </>
    );
  }
  const menu = (
    <Menu>
      {entries.map(({ uid, title }) => (
        <Menu.Item key={uid} label={title} url={wayTo(uid, address, link)} />
      ))}
    </Menu>
  );
  return (
    <Dropdown overlay={menu}>
      <ToolbarButton icon="bars" variant="canvas" isOpen={false}>
        {link.title}
      </ToolbarButton>
    </Dropdown>
  );
}
