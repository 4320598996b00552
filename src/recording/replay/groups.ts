import type { ReplayEntry } from './entry.js';

/** A statement or request with all that belongs to it, or one event of a session that belongs to none. */
export interface Group {
  readonly entries: readonly ReplayEntry[];
  /** More of a group whose first part was given already: it was too large to be held. */
  readonly continued: boolean;
}

/** Statements that wait for their end at the same time; of more, the oldest is given as it is. */
const MAX_OPEN = 256;
/** Events of one group that are held. */
const MAX_EVENTS = 2000;
const MAX_DEPTH = 64;
/** Characters of all that are held, about. */
const MAX_CHARS = 8 * 1024 * 1024;

interface Open {
  readonly key: string;
  entries: ReplayEntry[];
  chars: number;
  done: boolean;
  continued: boolean;
}

/**
 * Puts together what belongs to one statement, however the events of several are mixed; in the order in which they
 * began. Holds no more than a few MB: what is larger is given in parts.
 */
export async function* grouped(entries: AsyncIterable<ReplayEntry>): AsyncGenerator<Group> {
  const groups = new Groups();
  for await (const entry of entries) {
    groups.take(entry);
    yield* groups.ready();
  }
  groups.endAll();
  yield* groups.ready();
}

class Groups {
  readonly #open = new Map<string, Open>();
  /** As they began; a single event waits in it for its turn as well. */
  readonly #queue: Open[] = [];
  #chars = 0;

  take(entry: ReplayEntry): void {
    const { event, source } = entry;
    const session = source?.session ?? '';
    const statement = event['statement'];
    const key = `${session} ${String(statement)}`;
    if (event.type === 'tty' || event.type === 'seal' || event.type.startsWith('session.') || !isCount(statement)) {
      if (event.type === 'session.end') this.#endSession(session);
      this.#queue.push({ key: '', entries: [entry], chars: 0, done: true, continued: false });
      return;
    }
    const group = this.#open.get(key) ?? this.#begin(key);
    const chars = charsOf(event, 0);
    group.entries.push(entry);
    group.chars += chars;
    this.#chars += chars;
    // A model's answer stands behind its result; of a statement the result is the last.
    if (event.type === 'result' && group.entries[0]?.event.type === 'statement') this.#end(group);
    if (group.entries.length >= MAX_EVENTS || this.#chars > MAX_CHARS) this.#endFirst();
  }

  *ready(): Generator<Group> {
    for (let first = this.#queue[0]; first?.done === true; first = this.#queue[0]) {
      this.#queue.shift();
      this.#chars -= first.chars;
      if (first.entries.length > 0) yield { entries: first.entries, continued: first.continued };
    }
  }

  endAll(): void {
    for (const group of [...this.#open.values()]) this.#end(group);
  }

  #begin(key: string): Open {
    const group: Open = { key, entries: [], chars: 0, done: false, continued: false };
    this.#open.set(key, group);
    this.#queue.push(group);
    if (this.#open.size > MAX_OPEN) this.#endFirst();
    return group;
  }

  #end(group: Open): void {
    group.done = true;
    this.#open.delete(group.key);
  }

  #endSession(session: string): void {
    for (const group of [...this.#open.values()]) if (group.key.startsWith(`${session} `)) this.#end(group);
  }

  /** Gives the oldest as it is; what comes of it later is its next part. */
  #endFirst(): void {
    const [first] = this.#open.values();
    if (first === undefined) return;
    this.#end(first);
    const rest: Open = { key: first.key, entries: [], chars: 0, done: false, continued: true };
    if (this.#open.size < MAX_OPEN) this.#open.set(first.key, rest);
    if (this.#open.has(first.key)) this.#queue.push(rest);
  }
}

/** About as many as its JSON has, without making it. */
function charsOf(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return 8;
  let chars = 2;
  for (const item of Object.values(value)) chars += 8 + charsOf(item, depth + 1);
  return chars;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number';
}
