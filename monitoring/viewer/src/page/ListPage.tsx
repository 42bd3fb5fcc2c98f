import { TagList } from '@grafana/ui';

import type { Address } from '../address';
import type { Catalogue } from '../dashboard';
import { wayTo } from '../links';
import { Header } from './Header';
import type { useAddress } from './useAddress';

interface ListPageProps {
  catalogue: Catalogue;
  address: Address;
  change: ReturnType<typeof useAddress>[1];
}

/** All dashboards that are here. */
export function ListPage({ catalogue, address, change }: ListPageProps): JSX.Element {
  return (
    <>
      <Header catalogue={catalogue} address={address} change={change} />
      <main>
        <ul className="list">
          {catalogue.dashboards.map(({ uid, title, description, tags }) => (
            <li key={uid}>
              <a href={wayTo(uid, address, {})}>
                <h2>{title}</h2>
                <p>{description}</p>
              </a>
              <TagList tags={tags} />
            </li>
          ))}
        </ul>
      </main>
    </>
  );
}
