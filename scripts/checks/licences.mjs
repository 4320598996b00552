// Reads the licence of every installed package. What is shipped with hoop, or only used to build and test it, must
// allow that; a package without a licence, or with one that nobody has looked at, fails.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** May be installed beside hoop without obligations beyond keeping their notices. */
const SHIPPED = new Set([
  '0BSD',
  'Apache-2.0',
  'Apache 2.0', // qrcode-terminal writes it so
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
]);

/** Besides those, for tools that never reach a user: their obligations bind only who distributes them. */
const TOOLS = new Set([...SHIPPED, 'CC-BY-3.0', 'CC-BY-4.0', 'MPL-2.0']);

/** Their package.json names none, their readme does: read by hand, for that very version. */
const IN_README = { 'humanize-number@0.0.2': 'MIT', 'only@0.0.2': 'MIT' };

function licenceOf(path, locked) {
  const readme = IN_README[`${path.replace(/^.*node_modules\//, '')}@${locked.version}`];
  if (readme !== undefined) return readme;
  try {
    const { license, licenses } = JSON.parse(readFileSync(`${root}/${path}/package.json`, 'utf8'));
    const named = license ?? licenses?.[0];
    return typeof named === 'object' ? named.type : named;
  } catch {
    // A prebuilt package for another platform is in the lockfile alone.
    return locked.license;
  }
}

/** `A OR B` needs one of both, `A AND B` each. */
function isAllowed(expression, allowed) {
  const words = expression.replace(/[()]/g, '');
  return words.split(' OR ').some((choice) => choice.split(' AND ').every((licence) => allowed.has(licence.trim())));
}

const { packages } = JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8'));
const refused = Object.entries(packages)
  .filter(([path]) => path !== '')
  .map(([path, locked]) => ({ path, dev: locked.dev === true, licence: licenceOf(path, locked) ?? 'none' }))
  .filter(({ dev, licence }) => !isAllowed(licence, dev ? TOOLS : SHIPPED));
for (const { path, dev, licence } of refused)
  console.error(`${path}: ${licence} is not on the list for ${dev ? 'development tools' : 'shipped packages'}`);
process.exitCode = refused.length === 0 ? 0 : 1;
