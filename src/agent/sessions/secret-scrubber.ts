import type { RecordedEvent, SessionStart } from '../../core/events.js';
import type { KeyedHash } from '../../core/mask.js';
import { sharedMasker } from '../../masking/shared-masker.js';
import { withoutPasswords } from '../../protocols/postgres/statements/sql-passwords.js';
import { MAY_HOLD, withoutNamedSecrets } from './secret-patterns.js';
import type { SessionRecorder } from './session-host.js';

type RowsEvent = Extract<RecordedEvent, { readonly rows: readonly (readonly (string | null)[])[] }>;

/** Entities that open something: nobody needs them in a record, whatever policies say. */
const SECRETS = [
  'private-key',
  'jwt',
  'aws-access-key',
  'github-token',
  'anthropic-key',
  'openai-key',
  'stripe-key',
  'google-api-key',
  'slack-token',
  'api-key',
  'password-in-url',
];

const SECRET_COLUMN = /(?:password|passwd|passphrase|client_?secret)$/i;

interface SecretColumns {
  readonly names: readonly string[];
  /** By their index. */
  readonly secret: readonly number[];
}

const NO_COLUMNS: SecretColumns = { names: [], secret: [] };

function mayHold(text: string | null): boolean {
  return text !== null && MAY_HOLD.test(text);
}

/** Texts remembered, since the same statements come again and again. */
const MAX_KEPT = 512;
const MAX_KEPT_CHARS = 2048;

/**
 * Takes secrets out of what clients said before it is recorded, indexed or shown to reviewers: passwords of role
 * statements and connection strings, keys, tokens. Policies' masks come on top. Rather too much than too little.
 */
export class SecretScrubber {
  readonly #mask: (text: string) => string;
  readonly #kept = new Map<string, string>();
  /** Of results with the same columns the array is the same. */
  readonly #columns = new WeakMap<readonly string[], SecretColumns>();

  /** @param hash the agent's own, by which maskers are shared */
  constructor(hash: KeyedHash) {
    const rule = { name: 'record/secrets', entities: SECRETS, columns: [], strategy: 'redact', with: '' } as const;
    const masker = sharedMasker({ rules: [{ ...rule, on: { requests: true, answers: true }, observed: false }], hash });
    const mask = (text: string): string => masker.maskText(text, new Map());
    this.#mask = mask;
  }

  text(text: string): string {
    if (!MAY_HOLD.test(text)) return text;
    const known = this.#kept.get(text);
    if (known !== undefined) return known;
    const plain = withoutNamedSecrets(withoutPasswords(text));
    const scrubbed = this.#mask(plain);
    if (text.length <= MAX_KEPT_CHARS) {
      if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
      this.#kept.set(text, scrubbed);
    }
    return scrubbed;
  }

  /** The same event where it holds none. */
  event(event: RecordedEvent): RecordedEvent {
    switch (event.type) {
      case 'statement': {
        const { params } = event;
        const text = this.text(event.text);
        const scrubbed = params?.map((value) => (value === null ? null : this.text(value)));
        return scrubbed === undefined ? { ...event, text } : { ...event, text, params: scrubbed };
      }
      case 'request': {
        const { path, text, body, model } = event;
        return {
          ...event,
          path: this.text(path),
          text: this.text(text),
          ...(body === undefined ? {} : { body: this.text(body) }),
          ...(model === undefined ? {} : { model: this.text(model) }),
        };
      }
      case 'result':
        return event.error === undefined
          ? event
          : { ...event, error: { code: event.error.code, message: this.text(event.error.message) } };
      case 'output':
        return 'rows' in event
          ? this.#rows(event)
          : {
              ...event,
              body: this.text(event.body),
              ...(event.text === undefined ? {} : { text: event.text.map((text) => this.text(text)) }),
            };
      case 'approval.requested':
      case 'approval.resolved':
      case 'approval.reviewed':
      case 'grant.ended':
        return event.reason === undefined ? event : { ...event, reason: this.text(event.reason) };
      case 'approval.preview': {
        const notes = event.notes.map((note) => this.text(note));
        return event.refused === undefined
          ? { ...event, notes }
          : { ...event, notes, refused: this.text(event.refused) };
      }
      default:
        return event;
    }
  }

  /** The same start; what the client says of itself may be anything. */
  start(start: SessionStart): SessionStart {
    const { client, correlationId } = start;
    const { application } = client;
    return {
      ...start,
      ...(application === undefined ? {} : { client: { ...client, application: this.text(application) } }),
      ...(correlationId === undefined ? {} : { correlationId: this.text(correlationId) }),
    };
  }

  /** What a server said, the same event where nothing of it is secret. */
  #rows(event: RowsEvent): RowsEvent {
    const { columns } = event;
    const { names, secret } = columns === undefined ? NO_COLUMNS : this.#columnsOf(columns);
    const hides = secret.length > 0 || event.rows.some((row) => row.some(mayHold));
    if (!hides && (columns === undefined || names === columns)) return event;
    const rows = event.rows.map((row) =>
      row.map((cell, index) => (cell === null ? null : secret.includes(index) ? '[redacted]' : this.text(cell))),
    );
    return columns === undefined ? { ...event, rows } : { ...event, rows, columns: names };
  }

  /** A column that is called a password is one: the verifiers of `pg_authid` too. */
  #columnsOf(columns: readonly string[]): SecretColumns {
    const known = this.#columns.get(columns);
    if (known !== undefined) return known;
    const names = columns.some(mayHold) ? columns.map((name) => this.text(name)) : columns;
    const secret = columns.flatMap((name, index) => (SECRET_COLUMN.test(name) ? [index] : []));
    const found = { names, secret };
    this.#columns.set(columns, found);
    return found;
  }

  /** A recorder that is told nothing secret. */
  around(recorder: SessionRecorder): SessionRecorder {
    const secretive = new Set<number>();
    return {
      record: (event) => {
        recorder.record(withoutEcho(this.event(event), secretive));
      },
      flush: () => recorder.flush(),
      seal: (end) => recorder.seal(end),
    };
  }
}

/**
 * An error may repeat a part of the statement (`syntax error at or near "…"`), where a secret is not known by what stands
 * before it: of statements with secrets nothing is kept that stands in quotes.
 *
 * @param secretive numbers of the statements that hold some and have no result yet
 */
function withoutEcho(event: RecordedEvent, secretive: Set<number>): RecordedEvent {
  if (event.type === 'statement') {
    const holds = event.text.includes('[redacted]') || event.params?.includes('[redacted]') === true;
    if (holds) secretive.add(event.statement);
  }
  // What was refused here has no result.
  if (event.type === 'decision' && event.action === 'block') secretive.delete(event.statement);
  if (event.type !== 'result' || !secretive.delete(event.statement) || event.error === undefined) return event;
  const { code, message } = event.error;
  return { ...event, error: { code, message: message.replace(/"[^]*"/, '"[redacted]"') } };
}
