/** Messages of the Postgres protocol in an order in which no driver sends them, and a client that sends them. */
import { connect } from 'node:net';
import { parseRowDescription } from '../../src/protocols/postgres/results/columns.js';
import {
  parse,
  bind,
  cstring,
  errorFields,
  execute,
  i32,
  message,
  messagesIn,
  query,
  sync,
  u16,
} from '../../test/protocols/postgres/wire.js';
import type { WireMessage } from '../../test/support/raw-postgres.js';
import type { Dice } from './mutation.js';

export const describeOf = (kind: 'S' | 'P', name: string): Buffer => message('D', cstring(`${kind}${name}`));
export const closeOf = (kind: 'S' | 'P', name: string): Buffer => message('C', cstring(`${kind}${name}`));
export const flush = (): Buffer => message('H', '');
export const copyData = (text: string): Buffer => message('d', text);
export const copyDone = (): Buffer => message('c', '');
export const copyFail = (why: string): Buffer => message('f', cstring(why));
/** `int4pl(a, b)` by its object id, in text. */
export const add = (a: string, b: string): Buffer => {
  const values = [a, b].flatMap((value) => [i32(value.length), Buffer.from(value)]);
  return message('F', Buffer.concat([i32(177), u16(0), u16(2), ...values, u16(0)]));
};
/** Results in binary. */
const bindBinary = (portal: string, statement: string): Buffer =>
  message('B', Buffer.concat([cstring(portal), cstring(statement), u16(0), u16(0), u16(1), u16(1)]));

/** Everything is read and masked, and nothing of what is sent here met. */
export const WATCH = `apiVersion: hoop/v1
kind: Policy
metadata: { name: watch }
spec:
  opaque: allow
  rules:
    - { name: never, when: 'sql.reads.exists(t, t.name == "nobody")', action: block }
  mask:
    - { name: columns, columns: ['elsewhere.secret'], strategy: redact }
    - { name: kinds, entities: [credit-card], strategy: redact }
`;

/** What a table `t` and cursors, names and transactions can be made to do; `kept` stands in the database. */
export const ORDINARY_TEXTS: readonly string[] = [
  'select 1',
  'select a from kept order by a limit 5',
  'select 1/0',
  'select nosuch',
  'insert into t values (7)',
  '',
  'copy t from stdin',
  'copy t to stdout',
  'begin',
  'commit',
  'rollback',
  'savepoint s',
  'rollback to s',
  'release s',
  'close all',
  'deallocate all',
  'discard all',
  'declare p cursor for select a from kept order by a',
  'declare q cursor with hold for select a from kept order by a',
  'fetch 2 from p',
  'move 2 in q',
  'close p',
  'close q',
  'prepare a as select 5',
  'execute a',
  'deallocate a',
  'drop table t',
  'create temp table t (a int)',
  'select * from t',
  'truncate t',
  'set local role hoop_app',
  'reset role',
  'select current_user::text',
  'alter table t add column x int',
  'prepare transaction $$x$$',
];

/** Messages in any order; simple queries and Parses have these texts. */
export function oddConversation(dice: Dice, texts: readonly string[]): readonly Buffer[] {
  const text = (): string => dice.pick(texts);
  const name = (): string => dice.pick(['', 'a', 'b']);
  const portal = (): string => dice.pick(['', 'p', 'q']);
  const makers: readonly (() => Buffer)[] = [
    () => parse(name(), text()),
    () => parse(name(), text()),
    () => parse('', text()),
    () => bind(portal(), name()),
    () => bind(portal(), name()),
    () => bindBinary(portal(), name()),
    () => bind('', ''),
    () => execute(portal(), dice.below(3)),
    () => execute(portal(), 0),
    () => execute('', 0),
    () => describeOf('S', name()),
    () => describeOf('P', portal()),
    () => closeOf('S', name()),
    () => closeOf('P', portal()),
    sync,
    sync,
    sync,
    flush,
    () => query(text()),
    () => query(text()),
    () => query(`${text()}; ${text()}`),
    () => copyData('3\n'),
    copyDone,
    () => copyFail('x'),
    () => add('1', '2'),
  ];
  return Array.from({ length: 4 + dice.below(24) }, () => dice.pick(makers)());
}

/** What the server says of another message in the midst of a COPY, before it ends the session. */
export const LOST = 'protocol synchronization was lost';
const READY = message('Z', 'I');
const SILENCE_MS = 8_000;

export interface Way {
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/**
 * Sends a conversation at once, and then no more than that it goes.
 *
 * @param settings of the start-up packet, besides user and database
 * @returns what came back behind the start of the session, up to the end of the connection
 */
export async function conversed(
  way: Way,
  conversation: readonly Buffer[],
  settings: readonly (readonly [string, string])[] = [],
): Promise<readonly WireMessage[]> {
  const socket = connect({ port: way.port, host: '127.0.0.1', noDelay: true });
  const pairs = [['user', way.user], ['database', way.database], ...settings].flat().map(cstring);
  const parameters = Buffer.concat([...pairs, Buffer.from([0])]);
  socket.write(Buffer.concat([i32(parameters.length + 8), i32(196_608), parameters]));
  // A conversation that stands still is a finding too: what has come until then is compared.
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  const chunks: Buffer[] = [];
  let sent = false;
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer);
    if (sent || !Buffer.concat(chunks).includes(READY)) continue;
    sent = true;
    // After a failed COPY or an open transaction too, something is said at the end.
    socket.write(Buffer.concat([...conversation, sync(), query('select 99'), sync(), message('X', '')]));
  }
  const found = messagesIn(Buffer.concat(chunks));
  return found.slice(found.findIndex(({ type }) => type === 'Z') + 1);
}

/** What comes back for it, message by message, up to the end of the connection. */
export const answered = async (...conversation: Parameters<typeof conversed>): Promise<string[]> =>
  (await conversed(...conversation)).map(({ type, body }) => `${type} ${comparable(type, body)}`);

/** Without what differs from one session to the next: object ids, process ids, where in its source the server says it. */
function comparable(type: string, body: Buffer): string {
  if (type === 'E' || type === 'N') {
    const { S, C, M, P } = errorFields(body);
    return JSON.stringify([S, C, P, M]);
  }
  if (type === 'A') return body.subarray(4).toString('latin1');
  if (type !== 'T') return body.toString('latin1');
  return parseRowDescription(message('T', body))
    ?.map(({ name, attribute, typeOid, format }) => [name, attribute, typeOid, format].join())
    .join(';') as string;
}

/** Where columns are masked, what an error says of a statement that nobody has read is too, and what a function gives. */
export function withoutTexts(messages: readonly string[]): readonly string[] {
  return messages.map((one) =>
    one.startsWith('V ') ? 'V' : /^[EN] /.test(one) ? one.replace(/,"(?:[^"\\]|\\.)*"\]$/, ']') : one,
  );
}
