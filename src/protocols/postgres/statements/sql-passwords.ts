import { InsertColumns } from '../copy/insert-columns.js';
import { SqlTokens, type SqlString, type SqlToken } from './sql-tokens.js';

const REDACTED = '[redacted]';

/** Names behind which a password stands: of a role's clause, an option, a parameter, a variable, a pair. */
const NAME = /(?:password|passwd)$/i;
/** Also of settings: `set_config('app.api_key', …)`. */
const SECRET_NAME = /(?:password|passwd|secret|token|api_?key)$/i;
/** What they are called with are passwords and keys, and what these protect. */
const CRYPTO =
  /^(?:crypt|hmac|(?:encrypt|decrypt)(?:_iv)?|pgp_sym_(?:encrypt|decrypt)(?:_bytea)?|pgp_pub_decrypt(?:_bytea)?)$/;
const WORTH_READING = /passw|crypt|hmac|set_config/i;
/** Words between a name and its value: `SET password TO 'x'`, `password IN ('x')`, `password text := 'x'`. */
const BETWEEN = /^(?:to|is|in|not|like|ilike|text|varchar|constant)$/;
/** Signs there, and between the parts of a value: `=`, `:=`, `=>`, `<>`, `||`, a cast. */
const JOINING = '=:><!|(';

/** Strings within strings within code; deeper nobody writes them. */
const MAX_DEPTH = 6;

/**
 * Takes passwords out of a statement before it is recorded or shown: of role statements, options of foreign servers,
 * settings, comparisons, connection strings, calls of pgcrypto, in strings and bodies of code too, however they are
 * spelt. Where a password is put together from parts, all constants of the statement go. Rather too much than too little;
 * what was SQL stays SQL.
 */
export function withoutPasswords(text: string): string {
  return readPasswords(text).text;
}

export interface WithoutPasswords {
  readonly text: string;
  /** Is the value that is bound to `$n` a password? */
  readonly isSecret: (parameter: number) => boolean;
}

/** The same, with what it says of the values that are bound to the statement. */
export function readPasswords(text: string): WithoutPasswords {
  if (!WORTH_READING.test(text)) return { text, isSecret: () => false };
  const reader = new PasswordReader(false);
  const plain = reader.read(text, 0);
  if (reader.openEnded) return { text: new PasswordReader(true).read(text, 0), isSecret: () => true };
  return { text: plain, isSecret: (parameter) => reader.parameters.has(parameter) };
}

/** What the tokens before led to. */
interface Place {
  /** Is a string here a password? Behind its name, or a further part of it. */
  due: 'no' | 'name' | 'value';
  /** The word before, lower-case. */
  before: string;
  /** Parentheses that are open since a call or list whose constants are all secret: `crypt(`, `password IN (`; 0 outside. */
  secretDepth: number;
  /** Within `set_config(`: behind the name of a secret, behind the comma after it. */
  setting: 'no' | 'call' | 'name' | 'value';
  /** In `alter role`, `create user`: there even a bare word behind PASSWORD is meant as one. */
  role: boolean;
  insert: InsertColumns;
}

const start = (): Place => ({
  due: 'no',
  before: '',
  secretDepth: 0,
  setting: 'no',
  role: false,
  insert: new InsertColumns((name) => NAME.test(name)),
});

class PasswordReader {
  /** Was there a text whose password comes from elsewhere? */
  openEnded = false;
  /** Numbers of the parameters that stand where passwords do. */
  readonly parameters = new Set<number>();

  /** @param all constants go, but those that tell of a password themselves */
  constructor(private readonly all: boolean) {}

  read(text: string, depth: number): string {
    const tokens = new SqlTokens(text);
    const place = start();
    let shown = '';
    /** From here on nothing was changed yet. */
    let kept = 0;
    for (let at = 0; at < text.length;) {
      const token = tokens.at(at, place.due !== 'no');
      const { end } = token;
      if (token.kind === 'sign') afterSign(text.charAt(at), place);
      else if (token.kind === 'parameter') this.#parameter(Number(text.slice(at + 1, end)), place);
      else if (token.kind !== 'space') {
        const spelt = text.slice(at, end);
        const written = this.#written(token, spelt, place, depth);
        if (written !== spelt) {
          shown += text.slice(kept, at) + written;
          kept = end;
        }
      }
      at = end;
    }
    return kept === 0 ? text : shown + text.slice(kept);
  }

  #written(token: SqlToken, spelt: string, place: Place, depth: number): string {
    if (token.kind === 'string') return this.#string(token, spelt, place, depth);
    return token.kind === 'name' ? nameShown(spelt, place) : wordShown(spelt, place);
  }

  #parameter(number: number, place: Place): void {
    if (isSecretPlace(place)) this.parameters.add(number);
    if (place.due === 'name') place.due = 'value';
    place.setting = 'no';
    place.before = '';
  }

  #string(token: SqlString, spelt: string, place: Place, depth: number): string {
    const { content } = token;
    const secret = isSecretPlace(place);
    place.setting = place.setting === 'call' && SECRET_NAME.test(content) ? 'name' : 'no';
    // A string goes on behind a line break: what follows at once is more of it.
    place.due = secret && place.secretDepth === 0 ? 'value' : 'no';
    place.before = '';
    if (secret) return `'${REDACTED}'`;
    if (!WORTH_READING.test(content)) return this.all ? `'${REDACTED}'` : spelt;
    this.openEnded ||= isOpenEnded(content);
    if (depth === MAX_DEPTH) return `'${REDACTED}'`;
    const inner = this.read(content, depth + 1);
    return inner === content ? spelt : token.write(inner);
  }
}

function isSecretPlace({ due, secretDepth, setting, insert }: Place): boolean {
  return due !== 'no' || secretDepth > 0 || setting === 'value' || insert.atSecret;
}

/** `"…"`: a name; behind PASSWORD of a role somebody took it for a string. */
function nameShown(spelt: string, place: Place): string {
  place.insert.name(spelt.slice(1, -1));
  const taken = place.due === 'name' && place.role;
  place.due = taken ? 'value' : NAME.test(spelt.slice(1, -1)) ? 'name' : 'no';
  place.before = '';
  return taken ? `"${REDACTED}"` : spelt;
}

function wordShown(spelt: string, place: Place): string {
  const word = spelt.toLowerCase();
  const { due, before } = place;
  place.insert.word(word);
  if ((before === 'alter' || before === 'create') && /^(?:role|user|group)$/.test(word)) place.role = true;
  place.before = word;
  if (NAME.test(word)) place.due = 'name';
  else if (due === 'no' || !BETWEEN.test(word)) place.due = 'no';
  const taken = due === 'name' && place.role && place.due === 'no' && word !== 'null';
  return taken ? REDACTED : spelt;
}

function afterSign(sign: string, place: Place): void {
  if (sign === ';') {
    Object.assign(place, start());
    return;
  }
  place.insert.sign(sign);
  if (sign === '(' && (place.secretDepth > 0 || place.due === 'name' || CRYPTO.test(place.before)))
    place.secretDepth += 1;
  else if (sign === ')' && place.secretDepth > 0) place.secretDepth -= 1;
  if (sign === '(' && place.before === 'set_config') place.setting = 'call';
  else if (sign === ',' && place.setting === 'name') place.setting = 'value';
  if (place.due !== 'no' && !JOINING.includes(sign)) place.due = 'no';
  place.before = '';
}

/**
 * Does a text that is put together leave its password to other parts? `alter role a password ` and `… password %L`,
 * `host=h password=` and `host=h password=%s`.
 */
function isOpenEnded(content: string): boolean {
  const ofRole = /\b(?:role|user|group)\b/i.test(content);
  for (const { 0: word, index } of content.matchAll(/\bpassw(?:or)?d\b/gi)) {
    END.lastIndex = index + word.length;
    const end = END.exec(content);
    if (end !== null && (ofRole || end[1] === '=')) return true;
  }
  return false;
}

const END = /\s*(=?)\s*['"]*(?:\s*$|%[^\s'"])/y;
