/**
 * Bundle the page into a folder, or the tests.
 *
 *     node build.mjs dist     the page, which a web server can serve as it is
 *     node build.mjs tests    the tests, for node's own test runner
 */

import { cp, readdir, rm } from 'node:fs/promises';
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

/** Fonts, by the names under which the components ask for them. */
const fonts = {
  'inter/Inter-Regular.woff2': 'inter/files/inter-latin-wght-normal.woff2',
  'inter/Inter-Medium.woff2': 'inter/files/inter-latin-wght-normal.woff2',
  'inter/Inter-Italic.woff2': 'inter/files/inter-latin-wght-italic.woff2',
  'inter/Inter-MediumItalic.woff2': 'inter/files/inter-latin-wght-italic.woff2',
  'roboto/L0xTDF4xlVMF-BfR8bXMIhJHg45mwgGEFl0_3vrtSM1J-gEPT5Ese6hmHSh0mQ.woff2':
    'roboto-mono/files/roboto-mono-latin-wght-normal.woff2',
};

/**
 * What Grafana's components would load only if a page had an editor of code, a map, or an account with
 * Grafana: package.json has an empty package in their place, and here is what they export.
 */
const unused = {
  name: 'unused',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(@grafana\/faro-web-sdk|@hello-pangea\/dnd|@monaco-editor\/react|monaco-editor|ol|slate-react)(\/|$)/ }, ({ path }) => ({
      path,
      namespace: 'unused',
    }));
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'module.exports = new Proxy(class {}, { get: (_, name) => (name === "__esModule" ? false : class {}) });',
      loader: 'js',
    }));
  },
};

/**
 * Packages of which the components want the export called default.
 *
 * They are imported by files that end in .mjs, to which node's rules give the whole package as the default.
 */
const defaults = {
  name: 'defaults',
  setup({ onResolve, onLoad }) {
    const filter = /^(react-custom-scrollbars-2|react-highlight-words|calculate-size)$/;
    onResolve({ filter }, ({ path, namespace, resolveDir }) =>
      namespace === 'defaults' ? undefined : { path, namespace: 'defaults', pluginData: resolveDir }
    );
    onLoad({ filter, namespace: 'defaults' }, ({ path, pluginData: resolveDir }) => ({
      contents: `export * from '${path}'; export { default } from '${path}';`,
      resolveDir,
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
    plugins: [unused, defaults],
  });
  await cp(from('src/index.html'), from('dist/index.html'));
  // The components ask for icons and fonts when they first show them.
  const icons = from('dist/public/build/img/icons');
  await cp(from('node_modules/@grafana/ui/dist/public/img/icons'), icons, { recursive: true });
  // Named by the components, and not among their own.
  await cp(from('src/icons'), join(icons, 'unicons'), { recursive: true });
  for (const [name, file] of Object.entries(fonts)) {
    await cp(from('node_modules/@fontsource-variable', file), from('dist/public/fonts', name));
  }
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
    // What the components ask the browser for: its language, and whether Grafana is around.
    banner: { js: "globalThis.navigator ??= { language: 'en-US', languages: ['en-US'] }; globalThis.window ??= globalThis;" },
    plugins: [unused, defaults],
  });
}

const [what] = process.argv.slice(2);
await (what === 'tests' ? tests() : page());
