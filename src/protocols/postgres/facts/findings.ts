import type { ObjectName, SqlFacts } from '../../../policy/types.js';
import { inOrder, worstOf } from './effects.js';

/** A SET, RESET or set_config of the message, as far as the text tells. */
export interface SettingChange {
  /** Lower-case; undefined where the text does not tell (computed names, RESET ALL, DISCARD ALL). */
  readonly name: string | undefined;
  /** Undefined for RESET, DEFAULT and computed values; lists are joined by `, `. */
  readonly value: string | undefined;
  /** Of `search_path`: the schemas listed, as the server reads them; undefined where the text does not tell. */
  readonly list?: readonly string[];
  /** Holds to the end of the transaction only. */
  readonly local?: true;
  /** RESET or DEFAULT: back to what the session started with. */
  readonly reset?: true;
}

/** What was found in a piece of SQL: the facts while they are gathered. */
export class Findings {
  readonly effects = new Set<string>();
  readonly functions = new Set<string>();
  readonly unqualified = new Set<string>();
  readonly prepared: { readonly name: string; readonly findings: Findings }[] = [];
  readonly executes = new Set<string>();
  readonly deallocates = new Set<string>();
  deallocatesAll = false;
  readonly settings: SettingChange[] = [];
  opaqueReason = '';
  statements = 0;
  readonly #reads = new Map<string, ObjectName>();
  readonly #writes = new Map<string, ObjectName>();

  reads(name: ObjectName): void {
    this.#reads.set(`${name.schema}\0${name.name}`, name);
  }

  writes(name: ObjectName): void {
    this.#writes.set(`${name.schema}\0${name.name}`, name);
  }

  /** The first reason stands. */
  opaque(reason: string): void {
    if (this.opaqueReason === '') this.opaqueReason = reason;
  }

  /** Adds what a part was found to do; its statements are not counted. */
  absorb(part: Findings): void {
    for (const effect of part.effects) this.effects.add(effect);
    for (const name of part.functions) this.functions.add(name);
    for (const kind of part.unqualified) this.unqualified.add(kind);
    for (const name of part.#reads.values()) this.reads(name);
    for (const name of part.#writes.values()) this.writes(name);
    this.settings.push(...part.settings);
    if (part.opaqueReason !== '') this.opaque(part.opaqueReason);
  }

  toFacts(text: string): SqlFacts {
    return {
      text,
      kind: worstOf(this.effects),
      effects: inOrder(this.effects),
      reads: [...this.#reads.values()],
      writes: [...this.#writes.values()],
      functions: [...this.functions],
      unqualified: [...this.unqualified],
      unqualifiedWrite: this.unqualified.size > 0,
      opaque: this.opaqueReason !== '',
      opaqueReason: this.opaqueReason,
      statements: this.statements,
      params: [],
    };
  }
}
