/**
 * Bundle the page into a folder, or the tests.
 *
 *     node build.mjs dist     the page, which a web server can serve as it is
 *     node build.mjs tests    the tests, for node's own test runner
 */

import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const from = (...names) => join(here, ...names);

const shared = {
  absWorkingDir: here,
  bundle: true,
  jsx: 'automatic',
  legalComments: 'none',
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"' },
};

/** What Grafana's components would load only if a page had an editor of code or a map. */
const unused = {
  name: 'unused',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(@monaco-editor\/react|monaco-editor|slate-react|ol)(\/|$)/ }, ({ path }) => ({
      path,
      namespace: 'unused',
    }));
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'module.exports = new Proxy(class {}, { get: (_, name) => (name === "__esModule" ? false : class {}) });',
      loader: 'js',
    }));
  },
};

async function page() {
  await rm(from('dist'), { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: [from('src/main.tsx')],
    outdir: from('dist'),
    minify: true,
    target: 'es2022',
    loader: { '.woff2': 'file' },
    assetNames: 'fonts/[name]',
    plugins: [unused],
  });
  await cp(from('src/index.html'), from('dist/index.html'));
  // The components fetch their icons when they are first shown.
  await mkdir(from('dist/public/build'), { recursive: true });
  await cp(from('node_modules/@grafana/ui/dist/public/img'), from('dist/public/build/img'), { recursive: true });
}

async function tests() {
  await rm(from('build'), { recursive: true, force: true });
  const names = (await readdir(from('tests'))).filter((name) => name.endsWith('.test.ts'));
  await build({
    ...shared,
    entryPoints: names.map((name) => from('tests', name)),
    outdir: from('build'),
    platform: 'node',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    sourcemap: 'inline',
    plugins: [unused],
  });
}

const [what] = process.argv.slice(2);
await (what === 'tests' ? tests() : page());
