// The bundles: the commands that run on a laptop, with their packages, in two CommonJS files: those of `hoop policy`,
// whose libraries outweigh all others, and the rest. One file is read and its compiled code kept
// (src/cli/code-cache.ts), where some 700 files are found, read and compiled one by one otherwise.
//
// Not in them, and loaded from where they lie when they are used: what holds native code or WebAssembly; screens, since
// Ink waits at its top level, which no CommonJS file may; what makes certificates, once a year; the agent and the trial
// stack.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Packages that stay outside. pg and ws look for the last two, and do without. */
const EXTERNAL = [...Object.keys(optionalDependencies), 'libpg-query', 'typescript', 'pg-native', 'utf-8-validate'];

/** Packages of screens and of certificates: a file that reaches them by plain imports stays outside as they do. */
const SELDOM = /^(ink|react|@inkjs\/.*|@xterm\/headless|pkijs|asn1js)$/;

const LATE_BUFFERUTIL = join(root, 'scripts/late-bufferutil.cjs');

const SHARED = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  // ASCII, so that it is read as Latin-1, without decoding. Small, since all of it is read at every start.
  charset: 'ascii',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};

export async function writeBundles() {
  await writeLauncher();
  const ids = readdirSync(join(dist, 'commands'), { recursive: true })
    .filter((file) => file.endsWith('.js') && !/^(agent[\\/]|dev\.js$)/.test(file))
    .map((file) => file.slice(0, -3).split(sep).join('/'));
  const ofPolicy = (id) => id.startsWith('policy/');
  await writeBundle(
    'hoop.cjs',
    ids.filter((id) => !ofPolicy(id)),
  );
  await writeBundle('policy.cjs', ids.filter(ofPolicy));
}

/**
 * The launcher as CommonJS: Node has that at hand, while its loader of ES modules is itself a good many files to load.
 * What it imports, it imports from the compiled files.
 */
function writeLauncher() {
  return build({
    ...SHARED,
    entryPoints: [join(dist, 'src/cli/launch.js')],
    outfile: join(dist, 'launch.cjs'),
    external: [join(dist, 'src/cli/main.js')],
    plugins: [ownAddresses],
  });
}

/** @param commands ids of those that are in it */
function writeBundle(name, commands) {
  const modules = commands.map(
    (id) => `${JSON.stringify(id.replaceAll('/', ':'))}: () => import('./commands/${id}.js')`,
  );
  const contents = `import { main as run } from './src/cli/main.js';
const modules = { ${modules.join(', ')} };
export const main = (argv, options) => run(argv, { ...options, modules });`;
  return build({
    ...SHARED,
    stdin: { contents, resolveDir: dist, sourcefile: 'bundle.js', loader: 'js' },
    outfile: join(dist, name),
    // oclif would read its own package.json and compare versions at each start; ours says which Node it takes.
    define: { 'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"' },
    external: EXTERNAL.flatMap((name) => [name, `${name}/*`]),
    plugins: [ownFiles],
  });
}

const ownAddresses = {
  name: 'own-addresses',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) => ({ contents: withAddress(path), loader: 'js' }));
  },
};

const ownFiles = {
  name: 'own-files',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: SELDOM }, ({ path, importer }) => ({
      errors: [{ text: `${relative(root, importer)} loads ${path} with every command: import() it where it is used` }],
    }));
    onResolve({ filter: /^bufferutil$/ }, ({ importer }) =>
      importer === LATE_BUFFERUTIL ? undefined : { path: LATE_BUFFERUTIL },
    );
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (!path.startsWith(dist)) return undefined;
      const contents = withAddress(path).replaceAll(
        /\bimport\((['"])([^'"]+)\1\)/g,
        (whole, _quote, name) => outside(path, name) ?? whole,
      );
      return { contents, loader: 'js' };
    });
  },
};

/** The file's text with its own address, which in one file would be that of the bundle. */
function withAddress(file) {
  const address = `(require('node:url').pathToFileURL(require('node:path').join(__dirname, ${JSON.stringify(fromDist(file))})).href)`;
  return readFileSync(file, 'utf8').replaceAll('import.meta.url', () => address);
}

/**
 * What stays outside is imported by the launcher, which passes `__import` in: code that comes from V8's cache cannot
 * import() on Node 20.
 */
function outside(file, name) {
  if (!name.startsWith('.')) return EXTERNAL.includes(name) ? `__import(${JSON.stringify(name)})` : undefined;
  const target = join(dirname(file), name);
  return isSeldom(target) ? `__import(${JSON.stringify(`./${fromDist(target)}`)})` : undefined;
}

const fromDist = (file) => relative(dist, file).split(sep).join('/');

const known = new Map();

/** Does this file of ours reach those packages by plain imports? */
function isSeldom(file) {
  if (known.has(file)) return known.get(file);
  known.set(file, false);
  const imports = readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)(?:\s[^'"=();]*?\bfrom)?\s*['"]([^'"]+)['"]/gm,
  );
  const found = [...imports].some(([, name]) =>
    name.startsWith('.') ? isSeldom(join(dirname(file), name)) : SELDOM.test(name.replace(/\/jsx-runtime$/, '')),
  );
  known.set(file, found);
  return found;
}
