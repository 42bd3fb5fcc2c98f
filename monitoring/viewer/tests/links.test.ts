import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Catalogue } from '../src/dashboard';
import { single } from '../src/interpolation';
import { anchorOf, linkedHere, meant, wayTo } from '../src/links';

const catalogue: Catalogue = {
  dashboards: [
    { uid: 'a', title: 'A', description: '', tags: ['ctr'], path: 'dashboards/a.json' },
    { uid: 'b', title: 'B', description: '', tags: [], path: 'dashboards/b.json' },
  ],
  runbooks: ['CtrJobDown'],
};

function to(url: string, runbooks = 'runbooks'): string {
  return anchorOf({ title: 'x', url }, new Map([['runbooks', single(runbooks)]]), catalogue).href;
}

test('a runbook that is here opens here', () => {
  assert.equal(to('${runbooks}/CtrJobDown/README.md'), '?runbook=CtrJobDown');
});

test('a runbook that is elsewhere, or not here, opens where the link says', () => {
  assert.equal(to('${runbooks}/CtrJobDown/README.md', 'https://wiki.example/r'), 'https://wiki.example/r/CtrJobDown/README.md');
  assert.equal(to('${runbooks}/Other/README.md'), 'runbooks/Other/README.md');
});

test('a link of tags means the dashboards that have them', () => {
  assert.deepEqual(meant({ title: 'x', tags: ['ctr'] }, catalogue).map(({ uid }) => uid), ['a']);
});

test('the range of time goes along where the link keeps it', () => {
  const here = { uid: 'a', from: 'now-6h', to: 'now', theme: 'light' as const, variables: new Map([['host', ['x']]]) };
  assert.equal(wayTo('b', here, { keepTime: true }), '?d=b&from=now-6h&to=now&theme=light');
  assert.equal(wayTo('b', here, { includeVars: true }), '?d=b&theme=light&var-host=x');
});

test('a runbook leads to other runbooks and to other hosts, and nowhere else', () => {
  const html =
    '<a href="../CtrJobDown/README.md">job</a> <a href="../../docs/x.md">doc</a> <a href="https://example.org" target="_blank">web</a>';
  assert.equal(
    linkedHere(html, catalogue),
    '<a href="?runbook=CtrJobDown">job</a> doc <a href="https://example.org" target="_blank">web</a>'
  );
});
