// What every generated page shares: write it, or say that it is out of date.
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * @param file URL of the page
 * @param text what it has to be
 * With `--write` on the command line the page is written; otherwise a difference fails the check.
 */
export function holdPage(file, text) {
  let now = '';
  try {
    now = readFileSync(file, 'utf8');
  } catch {
    // A missing page differs from any text.
  }
  if (now === text) return;
  if (process.argv.includes('--write')) {
    writeFileSync(file, text);
    return;
  }
  console.error(`${file.pathname.split('/').slice(-2).join('/')} is out of date: run \`npm run docs\``);
  process.exitCode = 1;
}

/** Text for a cell of a table. */
export const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** `text` with what stands between `<!-- name -->` and `<!-- /name -->` replaced. */
export function replaceMarked(text, name, replacement) {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  if (text.split(start).length !== 2 || text.split(end).length !== 2)
    throw new Error(`expected ${start} and ${end} once each`);
  const [before, rest] = text.split(start);
  return `${before}${start}\n${replacement}\n${end}${rest.split(end)[1]}`;
}
