/**
 * A hostile client: spoilt conversations against a PostgresSession and a server that answers in
 * order. Promises held: nothing throws; after the end nothing is sent; every text that reaches the
 * server was allowed, and every statement that it runs was allowed to run.
 *
 *     npx tsx scripts/fuzz/postgres-client.ts --seconds 60 --seed 1
 */
import { pathToFileURL } from 'node:url';
import type { Step } from '../../src/protocols/contract.js';
import { loadGrammar } from '../../src/protocols/postgres/facts/analyze.js';
import {
  clientMessage,
  newReplicationSession,
  newSession,
  OPENED,
  serverMessage,
} from '../../test/protocols/postgres/conversation.js';
import { messagesIn } from '../../test/protocols/postgres/wire.js';
import { Dice, fuzzFromCommandLine, mutated, pieces } from './mutation.js';

const REFUSED = 'hoop_refused';
const CURSOR = 'declare c cursor with hold for select 1';
/** What an Execute of the cursor is judged as. */
const FETCH = 'FETCH ALL FROM "c"';
const COPY_OUT = ['H', 'd 1\\ta\\n', 'd 2\\tb\\n', 'c', 'C COPY 2'];
const LINES = [
  'Q select 1',
  'Q delete from t',
  "Q select 'a;delete from t'",
  'Q begin',
  'Q rollback',
  "Q set client_encoding = 'SJIS'",
  'Q set standard_conforming_strings = off',
  "Q select '\\\\'; delete from t --'",
  'Q prepare s as delete from t',
  'Q prepare s as select 1',
  'Q execute s',
  'Q deallocate s',
  'Q close p',
  'Q copy t from stdin',
  'Q copy t to stdout',
  'Q copy (delete from t returning 1) to stdout',
  'Q declare c cursor with hold for select 1',
  'Q declare c cursor for delete from t',
  'Q fetch 2 from c',
  'Q close c',
  'Q ',
  'P |select 1',
  'P s|select 1',
  'P s|delete from t',
  'P s|select $1::int',
  'P |copy t from stdin',
  'P |copy t to stdout',
  'P c|declare c cursor with hold for select 1',
  'B |',
  'B |s',
  'B p|s|7',
  'B p|',
  'B |nobody',
  'D P',
  'D Pp',
  'D Ss',
  'E ',
  'E p|2',
  'E c',
  'E c|2',
  'B c|s|7',
  'B |c',
  'D Pc',
  'C Pc',
  'S',
  'S',
  'S',
  'H',
  'C Ss',
  'C Pp',
  'd 1\\ta\\n',
  'c',
  'f no',
  'F',
  'X',
];

/** What a receiver of changes says besides. */
const REPLICATION_LINES = [
  'Q IDENTIFY_SYSTEM',
  'Q START_REPLICATION SLOT s LOGICAL 0/0',
  'Q START_REPLICATION SLOT s LOGICAL 0/0',
  'Q BASE_BACKUP',
  'Q select 1; delete from t',
  'd r\\x00\\x00',
  'd r',
  'c',
  'c',
];
/** All that it says: the extended protocol ends its session. */
const RECEIVER_LINES = [...REPLICATION_LINES, ...LINES.filter((line) => /^[QdcfSHX]/.test(line))];

/** Answers in the protocol's order; keeps what it holds under each name. */
class Server {
  readonly ran: string[] = [];
  readonly texts: string[] = [];
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string>();
  #skipping = false;
  #copying: 'simple' | 'extended' | 'both' | undefined;

  constructor(private readonly dice: Dice) {}

  answer(bytes: Buffer): string[] {
    return messagesIn(bytes).flatMap(({ type, body }) => this.#message(type, body));
  }

  #message(type: string, body: Buffer): string[] {
    if (this.#copying !== undefined) return this.#copyMessage(type);
    if (type === 'S') {
      this.#skipping = false;
      return ['Z I'];
    }
    if (this.#skipping) return [];
    const [first = '', second = ''] = body.toString().split('\0');
    switch (type) {
      case 'Q':
        this.texts.push(first);
        if (first !== REFUSED) this.ran.push(first);
        if (first === REFUSED || this.dice.chance(10)) return ['E 42601 no', 'Z I'];
        return this.#simple(first);
      case 'P':
        this.texts.push(second);
        // Also where this one fails: tried on a real server.
        if (first === '') this.#unnamed = undefined;
        if (second === REFUSED || this.#statements.has(first) || this.dice.chance(10)) return this.#failed();
        if (first !== '') this.#statements.set(first, second);
        this.#unnamed = first === '' ? second : this.#unnamed;
        return ['1'];
      case 'B':
        return this.#bind(first, second);
      case 'D':
        return first.startsWith('S') ? ['t', 'n'] : ['n'];
      case 'E':
        return this.#execute(first);
      case 'C':
        if (first.startsWith('S')) this.#statements.delete(first.slice(1));
        else this.#portals.delete(first.slice(1));
        return ['3'];
      case 'F':
        return ['V NULL', 'Z I'];
      default:
        return [];
    }
  }

  #unnamed: string | undefined;

  #simple(text: string): string[] {
    if (text === 'copy t from stdin') {
      this.#copying = 'simple';
      return ['G'];
    }
    if (text.startsWith('START_REPLICATION')) {
      this.#copying = 'both';
      return ['W', 'd w\\x00\\x01'];
    }
    if (text === 'copy t to stdout') return [...COPY_OUT, 'Z I'];
    if (text === CURSOR) {
      if (this.#portals.has('c')) return ['E 42P03 exists', 'Z I'];
      this.#portals.set('c', FETCH);
      return ['C DECLARE CURSOR', 'Z I'];
    }
    if (text === 'close c') this.#portals.delete('c');
    if (text === 'deallocate s') this.#statements.delete('s');
    const prepared = /^prepare s as (.*)$/.exec(text)?.[1];
    if (prepared !== undefined) {
      if (this.#statements.has('s')) return ['E 42P05 exists', 'Z I'];
      this.#statements.set('s', prepared);
      return ['C PREPARE', 'Z I'];
    }
    const encoding = text.startsWith('set client_encoding') ? ['S client_encoding SJIS'] : [];
    const strings = text.startsWith('set standard') ? ['S standard_conforming_strings off'] : [];
    return [
      text.trim() === '' ? 'I' : text === 'deallocate s' ? 'C DEALLOCATE' : 'C OK',
      ...encoding,
      ...strings,
      'Z I',
    ];
  }

  #bind(portal: string, statement: string): string[] {
    const text = statement === '' ? this.#unnamed : this.#statements.get(statement);
    if (text === undefined || this.dice.chance(10)) return this.#failed();
    this.#portals.set(portal, text);
    return ['2'];
  }

  #execute(portal: string): string[] {
    const text = this.#portals.get(portal);
    if (text === undefined || this.dice.chance(10)) return this.#failed();
    this.ran.push(text);
    if (text === 'copy t to stdout') return COPY_OUT;
    if (text === CURSOR) {
      if (this.#portals.has('c')) return this.#failed();
      this.#portals.set('c', FETCH);
    }
    if (text !== 'copy t from stdin') return ['C OK'];
    this.#copying = 'extended';
    return ['G'];
  }

  #copyMessage(type: string): string[] {
    if (type === 'd' || type === 'H' || type === 'S') return this.dice.chance(90) ? [] : this.#copyFailed();
    const kind = this.#copying;
    if (type === 'd' && kind === 'both') return ['d k'];
    if (type !== 'c') return this.#copyFailed();
    this.#copying = undefined;
    if (kind === 'both') return ['c', 'C COPY 0', 'C START_REPLICATION', 'Z I'];
    return kind === 'simple' ? ['C COPY 1', 'Z I'] : ['C COPY 1'];
  }

  #copyFailed(): string[] {
    const kind = this.#copying;
    this.#copying = undefined;
    return kind === 'extended' ? this.#failed() : ['E 22P02 no', 'Z I'];
  }

  #failed(): string[] {
    this.#skipping = true;
    return ['E 42601 no'];
  }
}

interface Asked {
  readonly ticket: number;
  readonly text: string;
  readonly phase: string;
  readonly forbidden: boolean;
}

export function fuzzPostgresClient(seed: number): void {
  const dice = new Dice(seed);
  const replicates = dice.chance(15);
  const session = (replicates ? newReplicationSession : newSession)({ statementBytes: 2_000 });
  const server = new Server(dice);
  const allowed = { prepare: new Set<string>(), run: [] as string[] };
  let open: Asked | undefined;
  let closed = false;
  const carry = (steps: readonly Step[]): void => {
    if (closed && steps.length > 0) throw new Error('something was sent after the end');
    const back: string[] = [];
    for (const step of steps) {
      if (closed) throw new Error('something was sent behind the close');
      if (step.kind === 'close') closed = true;
      else if (step.kind === 'ask') {
        const { sql } = step.question.facts;
        open = {
          ticket: step.ticket,
          text: sql?.text ?? '',
          phase: step.question.phase,
          forbidden:
            sql !== undefined &&
            (sql.opaque || sql.effects.includes('delete')) &&
            !sql.effects.some((effect) => effect === 'call' || effect === 'replication'),
        };
        step.question.reviewText();
        step.question.bindTo();
      } else if (step.kind === 'send' && step.to === 'upstream' && startedUp)
        back.push(...server.answer(Buffer.from(step.bytes)));
    }
    check(server, allowed);
    if (back.length > 0 && !closed)
      for (const part of pieces(Buffer.concat(back.map(serverMessage)), dice)) carry(session.receive('upstream', part));
  };
  const decide = (): void => {
    while (open !== undefined && !closed) {
      const { ticket, text, phase, forbidden } = open;
      if (dice.chance(10)) carry(session.answer(ticket, { action: 'hold', request: 'r', message: 'wait' }));
      open = undefined;
      if (!forbidden) {
        if (phase === 'prepare') allowed.prepare.add(text);
        else allowed.run.push(text);
      }
      carry(
        session.answer(
          ticket,
          forbidden ? { action: 'block', message: 'no' } : { action: 'allow', notices: dice.chance(10) ? ['hm'] : [] },
        ),
      );
    }
  };
  let startedUp = false;
  carry(session.start(new Uint8Array()));
  decide();
  carry(session.receive('upstream', Buffer.concat(OPENED)));
  startedUp = true;
  const lines = replicates ? RECEIVER_LINES : LINES;
  let said = Buffer.concat(Array.from({ length: 1 + dice.below(14) }, () => clientMessage(dice.pick(lines))));
  for (let count = dice.below(4); count > 0; count -= 1) said = mutated(said, dice) as Buffer<ArrayBuffer>;
  for (const part of pieces(said, dice)) {
    carry(session.receive('client', part));
    decide();
  }
  carry(session.end(dice.pick(['client', 'upstream'] as const)));
}

function check(
  server: Server,
  allowed: { readonly prepare: ReadonlySet<string>; readonly run: readonly string[] },
): void {
  for (const text of server.texts) {
    if (text !== REFUSED && !allowed.prepare.has(text) && !allowed.run.includes(text))
      throw new Error(`a text went up that nobody allowed: ${text}`);
  }
  for (const text of server.ran) {
    // As it was allowed, or as one of the statements of what was.
    const isAllowed = (one: string): boolean =>
      one === text || one.split(';\n').some((part) => part === text || part === `prepare s as ${text}`);
    if (!allowed.run.some(isAllowed)) throw new Error(`a statement ran that nobody allowed: ${text}`);
    if (/^\s*delete/i.test(text)) throw new Error(`a blocked statement ran: ${text}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await loadGrammar();
  fuzzFromCommandLine(fuzzPostgresClient);
}
