import {
  bind,
  complete,
  cstring,
  describePortal,
  execute,
  message,
  parse,
  query,
  ready,
  row,
  rowDescription,
  serverError,
  sync,
  u16,
} from '../../../test/protocols/postgres/wire.js';
import { SessionBench } from './postgres-bench.js';
import { damage, noise, slices, type Random } from './random.js';

/** Values that must reach neither the client nor the record, whatever the server wraps them in. */
const PLANTED = ['jane.roe@example.com', '4111 1111 1111 1111', '219-09-9999'] as const;
const TEXT_OID = 25;
const DESCRIPTION = 'T'.charCodeAt(0);

function answer(random: Random, isExtended: boolean): Buffer[] {
  const value = random.pick(PLANTED);
  const columns = [
    { name: 'a', type: TEXT_OID },
    { name: 'b', type: random.pick([TEXT_OID, 114, 1043, 1009]) },
  ];
  const rows = Array.from({ length: 1 + random.below(4) }, () =>
    row([random.pick(['x', null, value]), `to ${value}.`]),
  );
  const opening = isExtended ? [message('1', ''), message('2', '')] : [];
  const copy = [
    message('H', Buffer.concat([Buffer.from([0]), u16(1), u16(0)])),
    message('d', `1\t${value}\n`),
    message('c', ''),
  ];
  const error = serverError('23505', `Key (email)=(${value}) already exists.`);
  const notice = message(
    'N',
    Buffer.concat([cstring('SNOTICE'), cstring('C00000'), cstring(`M${value}`), Buffer.from([0])]),
  );
  const bodies: readonly [Buffer[], ...Buffer[][]] = [
    [rowDescription(columns), ...rows, complete(`SELECT ${String(rows.length)}`)],
    [rowDescription(columns), ...rows, error],
    [error],
    [...copy, complete('COPY 1')],
  ];
  const between = random.chance(0.3) ? [notice] : [];
  return [...opening, ...between, ...random.pick(bodies), ...between, ready()];
}

/**
 * Row descriptions stay whole: a server's word on the type of a column is believed, and a number needs no mask.
 * Lengths before them may still be wrong.
 */
function damaged(random: Random, messages: readonly Buffer[]): Buffer {
  const rate = random.pick([0, 0.2, 0.5]);
  return Buffer.concat(
    messages.map((one) => (one[0] !== DESCRIPTION && random.chance(rate) ? damage(random, one) : one)),
  );
}

/** Damage may glue a letter or digit to a value: then it is another value, which masks leave alone. */
const STANDING_ALONE = PLANTED.map(
  (value) => new RegExp(`(?<![!-~\\x80-\\xff])${value.replaceAll('.', '\\.')}(?![\\w@+-]|[.,]\\w)`),
);

function holdsPlanted(text: string): string | undefined {
  const found = STANDING_ALONE.find((pattern) => pattern.test(text));
  return found === undefined ? undefined : (PLANTED[STANDING_ALONE.indexOf(found)] ?? '');
}

/**
 * A hostile or broken server: whatever it sends, nothing throws, and no planted value that came in one piece goes down
 * or into the record.
 */
export function fuzzServer(random: Random): void {
  const bench = new SessionBench(() => true);
  for (let left = 1 + random.below(4); left > 0 && !bench.isClosed; left -= 1) {
    const isExtended = random.chance(0.5);
    const text = random.pick(['SELECT a, b FROM people', 'COPY people TO STDOUT', 'TABLE people']);
    const asked = isExtended ? [parse('', text), bind('', ''), describePortal(''), execute(''), sync()] : [query(text)];
    bench.receive('client', Buffer.concat(asked));
    const sent = random.chance(0.1) ? noise(random, random.below(200)) : damaged(random, answer(random, isExtended));
    for (const slice of slices(random, sent)) if (!bench.isClosed) bench.receive('upstream', slice);
  }
  if (!bench.isClosed) bench.end('upstream');
  const down = holdsPlanted(Buffer.concat(bench.seen.client).toString('latin1'));
  if (down !== undefined) throw new Error(`a planted value went down: ${down}`);
  const recorded = holdsPlanted(bench.seen.records.join('\n'));
  if (recorded !== undefined) throw new Error(`a planted value was recorded: ${recorded}`);
}
