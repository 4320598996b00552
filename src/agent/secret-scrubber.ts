import type { RecordedEvent } from '../core/events.js';
import type { KeyedHash } from '../core/mask.js';
import { sharedMasker } from '../masking/shared-masker.js';
import { withoutPasswords } from '../protocols/postgres/statement-text.js';
import type { SessionRecorder } from './session-host.js';

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

/** Within JSON the lines of a key end in `\n` as two characters, which no entity of plain text knows. */
const PEM = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?(?:-----END \1PRIVATE KEY-----|$)/g;
/** `Authorization: Bearer …` and the like, in a text of any kind. */
const AUTHORIZATION =
  /(\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|token|digest)\s+)?[^\s"',;]+(?=$|[\s"',;])/gi;
const BEARER = /(\bbearer\s+)[A-Za-z0-9._~+/-]{8,}=*/gi;

/** `PGPASSWORD=x`, `"db_password": "x"`, `passwd: x`. */
const NAMED = /(\b\w*(?:password|passwd|_pwd)["']?\s*[=:]\s*)(?:"[^"\n]*"|'[^'\n]*'|[^\s'",;)]+)/gi;

/** What every secret has in it; text without is not looked at further. */
const MAY_HOLD =
  /:\/\/|-----BEGIN|eyJ|bearer|AKIA|ASIA|gh[a-z]_|github_pat|\bsk[-_]|\brk_|AIza|xox|passw|_pwd|key|authorization/i;

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
    const plain = withoutPasswords(text)
      .replace(PEM, '[private-key]')
      .replace(NAMED, '$1[redacted]')
      .replace(AUTHORIZATION, '$1[redacted]')
      .replace(BEARER, '$1[redacted]');
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
        const { body } = event;
        const scrubbed = { ...event, path: this.text(event.path), text: this.text(event.text) };
        return body === undefined ? scrubbed : { ...scrubbed, body: this.text(body) };
      }
      case 'result':
        return event.error === undefined
          ? event
          : { ...event, error: { code: event.error.code, message: this.text(event.error.message) } };
      case 'output':
        return 'rows' in event
          ? { ...event, rows: event.rows.map((row) => this.#row(row)) }
          : {
              ...event,
              body: this.text(event.body),
              ...(event.text === undefined ? {} : { text: event.text.map((text) => this.text(text)) }),
            };
      case 'approval.requested':
      case 'approval.resolved':
        return event.reason === undefined ? event : { ...event, reason: this.text(event.reason) };
      default:
        return event;
    }
  }

  /** What a server said: the same row where it holds none. */
  #row(row: readonly (string | null)[]): readonly (string | null)[] {
    return row.some((cell) => cell !== null && MAY_HOLD.test(cell))
      ? row.map((cell) => (cell === null ? null : this.text(cell)))
      : row;
  }

  /** A recorder that is told nothing secret. */
  around(recorder: SessionRecorder): SessionRecorder {
    return {
      record: (event) => {
        recorder.record(this.event(event));
      },
      flush: () => recorder.flush(),
      seal: (end) => recorder.seal(end),
    };
  }
}
