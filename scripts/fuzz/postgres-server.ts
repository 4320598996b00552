/**
 * A server gone wrong: spoilt answers, with planted values in them, to statements that were
 * allowed. Promises held: nothing throws; after the end nothing is sent; no planted value reaches
 * the client while masks are on.
 *
 *     npx tsx scripts/fuzz/postgres-server.ts --seconds 60 --seed 1
 */
import { pathToFileURL } from 'node:url';
import type { Step } from '../../src/protocols/contract.js';
import { loadGrammar } from '../../src/protocols/postgres/facts/analyze.js';
import { clientMessage, newSession, OPENED, serverMessage } from '../../test/protocols/postgres/conversation.js';
import { Dice, fuzzFromCommandLine, mutated, pieces } from './mutation.js';

const SECRET = 'mike.planted@example.com';
/** Types stay as they are said, and none is of a kind that can hold nothing: what a server says of its own columns is believed. */
const ROWS = 'T id:int8|mail:text|doc:json|docb:jsonb|name:1043';
const ROW = `D 1|${SECRET}|{"a":"${SECRET}"}|{"${SECRET}":1}|at ${SECRET}, twice ${SECRET}`;
const PLAIN = 'D 2|nobody at all|{"a":1}|{"b":2}|a name';
const NULLS = 'D NULL|NULL|NULL|NULL|NULL';
const BINARY_ROWS = 'T id:int4:binary|mail:text:binary|docb:jsonb:binary|name:1043:binary';
const TALKS: readonly {
  readonly ask: readonly string[];
  readonly fixed: readonly string[];
  readonly said: readonly string[];
}[] = [
  { ask: ['Q select 1'], fixed: [ROWS], said: [ROW, ROW, `N 00000 on ${SECRET}`, ROW, 'C SELECT 3', 'Z I'] },
  {
    ask: ['P |select 1', 'B |', 'D P', 'E ', 'S'],
    fixed: ['1', '2', ROWS],
    said: [ROW, ROW, `A news of ${SECRET}`, 'C SELECT 2', 'Z I'],
  },
  {
    ask: ['Q copy t to stdout'],
    fixed: ['H'],
    said: [`d 1\\t${SECRET}\\tx\\n`, `d {"a": "${SECRET}"}\\n`, 'c', 'C COPY 2', 'Z I'],
  },
  {
    ask: ['Q copy t to stdout csv'],
    fixed: ['H'],
    said: [`d 1,"${SECRET}, ""x"""\\n`, `d ${SECRET}\\n`, 'c', 'C COPY 2', 'Z I'],
  },
  {
    ask: ['Q insert into t values (1)'],
    fixed: [],
    said: [`E 23505 of ${SECRET} DETAIL: Key (mail)=(${SECRET})`, 'Z I'],
  },
  { ask: ['F'], fixed: [], said: [`V ${SECRET}`, 'Z I'] },
  // Long enough that rows are masked a stretch at a time.
  { ask: ['Q select 1'], fixed: [ROWS], said: [...many(ROW), NULLS, ...many(ROW), 'C SELECT 25', 'Z I'] },
  {
    ask: ['P |select 1', 'B |', 'E ', 'S'],
    fixed: ['1', '2', ROWS],
    said: [PLAIN, ...many(ROW), `N 00000 on ${SECRET}`, ...many(PLAIN), ROW, 'C SELECT 26', 'Z I'],
  },
  {
    ask: ['Q select 1'],
    fixed: [BINARY_ROWS],
    said: [...many(`D \\x00\\x00\\x00\\x07|${SECRET}|\\x01{"a":"${SECRET}"}|at ${SECRET}`), 'C SELECT 12', 'Z I'],
  },
  {
    ask: ['Q copy t to stdout'],
    fixed: ['H'],
    said: [
      ...many(`d 1\\t${SECRET}\\tx\\n`),
      ...many('d 2\\t\\\\N\\ty\\n'),
      `d 3\\t${SECRET}\\tz\\n`,
      'c',
      'C COPY 25',
      'Z I',
    ],
  },
  {
    ask: ['P |copy t to stdout csv', 'B |', 'D P', 'E ', 'S'],
    fixed: ['1', '2', 'n', 'H'],
    said: [
      ...many(`d 1,"${SECRET}, ""x""",y\\n`),
      ...many('d 2,,\\n'),
      `d 3,"a\\n${SECRET}",z\\n`,
      'c',
      'C COPY 25',
      'Z I',
    ],
  },
];

function many(line: string): string[] {
  return Array<string>(12).fill(line);
}

export function fuzzPostgresServer(seed: number): void {
  const dice = new Dice(seed);
  const session = newSession({ mask: ['email'], rowBytes: 100_000 });
  let shown = Buffer.alloc(0);
  let closed = false;
  const carry = (steps: readonly Step[]): void => {
    if (closed && steps.length > 0) throw new Error('something was sent after the end');
    for (const step of steps) {
      if (closed) throw new Error('something was sent behind the close');
      if (step.kind === 'close') closed = true;
      else if (step.kind === 'send' && step.to === 'client') shown = Buffer.concat([shown, step.bytes]);
      else if (step.kind === 'record' && JSON.stringify(step.event).includes(SECRET))
        throw new Error('a planted value was recorded');
      else if (step.kind === 'ask') carry(session.answer(step.ticket, { action: 'allow', notices: [] }));
    }
  };
  carry(session.start(new Uint8Array()));
  carry(session.receive('upstream', Buffer.concat(OPENED)));
  for (let talks = 1 + dice.below(3); talks > 0 && !closed; talks -= 1) {
    const { ask, fixed, said } = dice.pick(TALKS);
    carry(session.receive('client', Buffer.concat(ask.map(clientMessage))));
    let bytes = Buffer.concat(said.map(serverMessage));
    for (let count = dice.below(4); count > 0; count -= 1) bytes = mutated(bytes, dice) as Buffer<ArrayBuffer>;
    const whole = Buffer.concat([...fixed.map(serverMessage), bytes]);
    for (const part of pieces(whole, dice, dice.pick([200, 3_000, 20_000]))) carry(session.receive('upstream', part));
  }
  carry(session.end('upstream'));
  if (shown.includes(SECRET))
    throw new Error(
      'a planted value reached the client: ' +
        JSON.stringify(
          shown.subarray(Math.max(0, shown.indexOf(SECRET) - 60), shown.indexOf(SECRET) + 40).toString('latin1'),
        ),
    );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await loadGrammar();
  fuzzFromCommandLine(fuzzPostgresServer);
}
