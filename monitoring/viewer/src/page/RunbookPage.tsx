import { renderMarkdown } from '@grafana/data';
import { Alert } from '@grafana/ui';

import type { Address } from '../address';
import type { Catalogue } from '../dashboard';
import { linkedHere } from '../links';
import { Header } from './Header';
import type { useAddress } from './useAddress';
import { asText, useFile } from './useFile';

interface RunbookPageProps {
  name: string;
  catalogue: Catalogue;
  address: Address;
  change: ReturnType<typeof useAddress>[1];
}

/** What to do when an alert fires. */
export function RunbookPage({ name, catalogue, address, change }: RunbookPageProps): JSX.Element {
  const { content, problem } = useFile(`runbooks/${encodeURIComponent(name)}.md`, asText);
  return (
    <>
      <Header catalogue={catalogue} address={address} change={change} title={name} />
      <main>
        {problem !== undefined && <Alert severity="error" title={problem} />}
        {content !== undefined && (
          <article
            className="markdown-html runbook"
            dangerouslySetInnerHTML={{ __html: linkedHere(renderMarkdown(content), catalogue) }}
          />
        )}
      </main>
    </>
  );
}
