/** Makes docs/entities.md: `npx tsx scripts/entities/page.ts --write`. A test holds the page against it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BUILT_IN_ENTITY_NAMES } from '../../src/masking/text-masker.js';
import { NUMBER_KINDS } from '../../src/masking/entities/built-in.js';
import { measureEntities, NOISE_VALUES, RANDOM_NUMBERS } from './measure.js';

const PAGE = fileURLToPath(new URL('../../docs/entities.md', import.meta.url));
const [START, END] = ['<!-- measured -->', '<!-- /measured -->'];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function tables(): string {
  const numbers = new Set(NUMBER_KINDS.map(({ name }) => name));
  const own = BUILT_IN_ENTITY_NAMES.filter((name) => !numbers.has(name));
  const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;
  const measured = new Map(measureEntities().map((one) => [one.name, one]));
  const rows = NUMBER_KINDS.map(({ name, sure = [], near = [], words = [] }) => {
    const one = measured.get(name);
    if (one === undefined) throw new Error(`not measured: ${name}`);
    const precision = one.withWord / (one.withWord + one.wrong / NOISE_VALUES);
    const cells = [code(name), sure.map(code).join(' '), near.map(code).join(' '), words.join(', ')];
    const shares = [precision, one.withWord, one.without, one.chance].map(percent);
    return `| ${[...cells, ...shares, String(one.wrong)].join(' | ')} |`;
  });
  return [
    `${String(BUILT_IN_ENTITY_NAMES.length)} kinds. With a detector of their own: ${own.map(code).join(', ')}.`,
    '',
    `Kinds of numbers; measured on labelled sentences, ${String(NOISE_VALUES)} values of noise and ${String(RANDOM_NUMBERS)} random numbers of each writing:`,
    '',
    '| entity | found anywhere | found behind a word | words | precision | recall, word in front | recall, no word | random numbers taken | wrong in noise |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** @returns the page as it has to be */
export function entitiesPage(now: string): string {
  const [before, rest = ''] = now.split(START);
  return `${before ?? ''}${START}\n\n${tables()}\n\n${END}${rest.split(END)[1] ?? ''}`;
}

export function readPage(): string {
  return readFileSync(PAGE, 'utf8');
}

if (process.argv.includes('--write') && process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PAGE, entitiesPage(readPage()));
