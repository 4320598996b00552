import type { ChainedEvent } from '../../core/events.js';
import type { Verdict } from '../../policy/types.js';

/** A verdict as it was recorded, or is now. */
export interface Told {
  readonly action: string;
  /** `policy/rule`; empty where nothing matched. */
  readonly rule: string;
}

/** Statements of one kind of change, together. */
export interface Change {
  readonly from: Told;
  readonly to: Told;
  readonly count: number;
  /** How many of each, most first. */
  readonly users: Readonly<Record<string, number>>;
  readonly connections: Readonly<Record<string, number>>;
  /** The first few; texts are as recorded, masked. */
  readonly examples: readonly { readonly session: string; readonly statement: number; readonly text: string }[];
}

export interface JudgedAgain {
  readonly from: Told & { readonly rules: readonly string[] };
  readonly to: Verdict;
  readonly caller: string;
  readonly connection: string;
  readonly asked: ChainedEvent;
  readonly session: string;
}

const MAX_EXAMPLES = 3;
const MAX_EXAMPLE_CHARACTERS = 200;

interface Group {
  readonly from: Told;
  readonly to: Told;
  count: number;
  readonly users: Map<string, number>;
  readonly connections: Map<string, number>;
  readonly examples: { session: string; statement: number; text: string }[];
}

/** Counts verdicts that differ, grouped by what changed into what. */
export class ChangeTally {
  changed = 0;
  otherRule = 0;
  readonly #groups = new Map<string, Group>();

  add(again: JudgedAgain): void {
    const { from, to } = again;
    const sameAction = from.action === to.action;
    if (sameAction && (from.rule === to.rule || to.action === 'allow')) return;
    if (sameAction) this.otherRule += 1;
    else this.changed += 1;
    const key = JSON.stringify([from.action, from.rule, to.action, to.rule]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = {
        from: { action: from.action, rule: from.rule },
        to: { action: to.action, rule: to.rule },
        count: 0,
        users: new Map(),
        connections: new Map(),
        examples: [],
      };
      this.#groups.set(key, group);
    }
    count(group, again);
  }

  /** Changed actions first, most of them first. */
  readonly changes = (): readonly Change[] => {
    const same = ({ from, to }: Group): number => Number(from.action === to.action);
    return [...this.#groups.values()]
      .sort((left, right) => same(left) - same(right) || right.count - left.count)
      .map((group) => ({ ...group, users: mostFirst(group.users), connections: mostFirst(group.connections) }));
  };
}

function count(group: Group, { caller, connection, asked, session }: JudgedAgain): void {
  group.count += 1;
  group.users.set(caller, (group.users.get(caller) ?? 0) + 1);
  group.connections.set(connection, (group.connections.get(connection) ?? 0) + 1);
  const text = typeof asked['text'] === 'string' ? asked['text'].slice(0, MAX_EXAMPLE_CHARACTERS) : '';
  if (group.examples.length < MAX_EXAMPLES && !group.examples.some((one) => one.text === text))
    group.examples.push({ session, statement: Number(asked['statement']), text });
}

function mostFirst(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([, left], [, right]) => right - left));
}
