import type { DecisionEvent, RecordedEvent } from '../../core/events.js';
import type { SessionTerm, TermKind } from '../../core/recording-index.js';

/** Most different terms of one session; what is met after them stands in the recording alone. */
const MAX_TERMS = 2000;
/** Longer names are in the recording alone. */
const MAX_TERM_CHARS = 512;

/** Gathers what a session is found by, each once, as its events go by. */
export class SessionTerms {
  #session = '';
  #startedAt = '';
  #fresh: SessionTerm[] = [];
  readonly #known = new Set<string>();
  /** Facts come again with the same statement, as the same object. */
  readonly #facts = new WeakSet();

  observe(event: RecordedEvent, at: string): void {
    switch (event.type) {
      case 'session.start':
        this.#session = event.session;
        this.#startedAt = at;
        for (const group of names(event.user.groups)) this.#add('group', group);
        return;
      case 'statement':
        this.#tables(event.facts);
        return;
      case 'decision':
        if (event.action !== 'allow') this.#add('verdict', event.action);
        for (const rule of names(event.rules)) this.#rule(rule);
        this.#observed(event.observed);
        return;
      case 'result':
        for (const name in event.masked) this.#add('entity', name.toLowerCase());
        return;
      case 'approval.requested':
      case 'approval.voted':
      case 'approval.resolved':
      case 'approval.reviewed':
      case 'grant.ended':
        this.#add('approval', event.request);
        return;
      default:
    }
  }

  /** Those since the last call. */
  take(): readonly SessionTerm[] {
    if (this.#fresh.length === 0) return [];
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** What an observing policy would have done: that is what it is watched for. */
  #observed(matches: DecisionEvent['observed']): void {
    if (!Array.isArray(matches)) return;
    for (const { rule, action } of matches as NonNullable<DecisionEvent['observed']>) {
      if (typeof rule !== 'string') continue;
      this.#rule(rule);
      if (action !== 'allow') this.#add('verdict', `would-${action}`);
    }
  }

  /** By its whole name, and by the one within its policy. */
  #rule(rule: string): void {
    this.#add('rule', rule);
    const cut = rule.indexOf('/');
    if (cut >= 0) this.#add('rule', rule.slice(cut + 1));
  }

  /** By `schema.name`, and by the name alone. */
  #tables(facts: Readonly<Record<string, unknown>> | undefined): void {
    if (facts === undefined || this.#facts.has(facts)) return;
    this.#facts.add(facts);
    for (const side of [facts['reads'], facts['writes']]) {
      if (!Array.isArray(side)) continue;
      for (const table of side as readonly { readonly schema?: unknown; readonly name?: unknown }[]) {
        if (typeof table.name !== 'string') continue;
        const name = table.name.toLowerCase();
        this.#add('table', name);
        if (typeof table.schema === 'string' && table.schema !== '')
          this.#add('table', `${table.schema.toLowerCase()}.${name}`);
      }
    }
  }

  #add(kind: TermKind, term: string): void {
    const key = `${kind} ${term}`;
    if (term === '' || term.length > MAX_TERM_CHARS || this.#known.has(key) || this.#known.size >= MAX_TERMS) return;
    this.#known.add(key);
    this.#fresh.push({ session: this.#session, startedAt: this.#startedAt, kind, term });
  }
}

/** An event read back from a file may hold anything. */
function names(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
