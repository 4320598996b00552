import type { Question } from '../../../src/protocols/contract.js';
import { bind, describePortal, execute, message, parse, query, sync } from '../../../test/protocols/postgres/wire.js';
import { drops, FakeServer } from './fake-server.js';
import { SessionBench } from './postgres-bench.js';
import { damage, noise, slices, type Random } from './random.js';

const HARMLESS = [
  'SELECT 1',
  '',
  'BEGIN',
  "SELECT 'DROP TABLE t'",
  'SELECT * FROM t -- DROP TABLE t',
  'COMMIT',
] as const;
const DROPPING = [
  'DROP TABLE t',
  '/* /* */ */ dRoP table t',
  'SELECT 1; DROP TABLE t',
  'BEGIN; DROP VIEW v; COMMIT',
  "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$",
  '\u00a0DROP TABLE t',
  'DROP TABLE "t\u0000"',
] as const;

function messages(random: Random): Buffer {
  const text = random.chance(0.4) ? random.pick(DROPPING) : random.pick(HARMLESS);
  const name = random.pick(['', 's1', 's2']);
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([parse(name, text), bind('', name), describePortal(''), execute(''), sync()]);
    case 1:
      return parse(name, text);
    case 2:
      return Buffer.concat([bind(random.pick(['', 'p']), name), execute(random.pick(['', 'p']))]);
    case 3:
      return sync();
    case 4:
      return message(String.fromCharCode(random.below(128)), noise(random, random.below(40)));
    default:
      return query(text);
  }
}

const allows = ({ facts }: Question): boolean =>
  facts.sql === undefined ||
  !(facts.sql.opaque || facts.sql.syntaxError !== undefined || facts.sql.effects.includes('drop'));

/**
 * A hostile client: whatever it sends, nothing throws, what goes up is what a server can read, and no statement that
 * policy refuses is run.
 */
export function fuzzClient(random: Random): void {
  const bench = new SessionBench(allows);
  const server = new FakeServer();
  for (let left = 1 + random.below(12); left > 0 && !bench.isClosed; left -= 1) {
    const sound = messages(random);
    for (const slice of slices(random, random.chance(0.3) ? damage(random, sound) : sound)) {
      if (!bench.isClosed) bench.receive('client', slice);
      while (bench.seen.upstream.length > 0) {
        const answer = server.receive(Buffer.concat(bench.seen.upstream.splice(0)));
        if (answer.length > 0 && !bench.isClosed) bench.receive('upstream', answer);
      }
    }
  }
  if (!bench.isClosed) bench.end('client');
  const dropped = server.ran.find(drops);
  if (dropped !== undefined) throw new Error(`a refused statement was run: ${JSON.stringify(dropped)}`);
}
