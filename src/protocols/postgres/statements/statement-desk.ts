import type { Fault } from '../../../core/errors.js';
import type { StatementEvent } from '../../../core/events.js';
import type { MaskCounts } from '../../../core/mask.js';
import type { SqlFacts } from '../../../policy/types.js';
import type { Decision, HeldStatement, Question, Step } from '../../contract.js';
import type { ExpectedReplies } from '../results/expected-replies.js';
import { noticeMessage, parseMessage, queryMessage, type ErrorFields } from '../wire/messages.js';
import { reachedForm } from '../results/reached-form.js';
import { REFUSED_TEXT, refusalFor, SQLSTATE } from '../refusal.js';
import type { Run } from './run.js';
import type { SessionMasks } from '../masks.js';
import { SessionState } from '../session-state.js';
import type { PostgresSessionOptions } from '../opening/session-options.js';
import { readPasswords, withoutPasswords, type WithoutPasswords } from './sql-passwords.js';
import { recordedFacts } from './statement-text.js';

/** What the client's side of a session needs done. */
export interface ClientSideHost {
  toServer(bytes: Uint8Array): void;
  notice(bytes: Uint8Array): void;
  step(step: Step): void;
  fault(fault: Fault): void;
  /** The client has ended the session in good order. */
  goodbye(): void;
}

/** One statement that is to be decided, and what follows either way. */
export interface Case {
  readonly run: Run;
  readonly via: string;
  readonly phase?: Question['phase'];
  allow(): void;
  refuse(fields: ErrorFields): void;
}

/** Characters of one bound value that the record keeps. */
const MAX_RECORDED_PARAM = 1024;
/** Characters that are masked before that cut: what begins in front of it is seen whole. The longest keys have half as many. */
const MAX_MASKED_PARAM = 8 * MAX_RECORDED_PARAM;

/** Puts statements to policy one at a time, and carries a refusal to the client in the server's own order. */
export class StatementDesk {
  readonly counts = { statements: 0, blocked: 0 };
  /** After a refusal in the extended protocol everything up to the client's next Sync is dropped, as the server does. */
  skipping = false;
  readonly #recorded = new WeakMap<
    SqlFacts,
    { readonly masker: SessionMasks['record']; readonly text: string; readonly shown: WithoutPasswords }
  >();
  /** What is masked in statements is not counted: results are. */
  readonly #uncounted: MaskCounts = new Map();
  readonly #state: SessionState;
  /** The server holds values behind pseudonyms under names of this session: any statement's error may quote them. */
  #holdsOriginals = false;
  #open: { readonly ticket: number; readonly one: Case } | undefined;
  #study: { readonly ticket: number; readonly then: () => void } | undefined;
  #nextTicket = 1;

  constructor(
    readonly options: PostgresSessionOptions,
    private readonly expected: ExpectedReplies,
    readonly host: ClientSideHost,
  ) {
    this.#state = new SessionState(options, expected);
  }

  /** Is a statement waiting to be read or decided? Then nothing more is read. */
  get waiting(): boolean {
    return this.#open !== undefined || this.#study !== undefined;
  }

  /** @param then when the text has been read and reading it again costs nothing */
  study(text: string, then: () => void): void {
    const ticket = this.#nextTicket++;
    this.#study = { ticket, then };
    this.host.step({ kind: 'study', ticket, text });
  }

  /** @param basis the same object for the same facts, whatever is bound */
  newRun(text: string, facts: SqlFacts, basis: SqlFacts = facts, more: Pick<Run, 'executes' | 'bound'> = {}): Run {
    this.counts.statements += 1;
    return {
      ...(this.#holdsOriginals ? { edits: [] } : {}),
      statement: this.counts.statements,
      text,
      facts,
      basis,
      completedBasis: undefined,
      executes: more.executes,
      bound: more.bound,
      startedMs: this.options.nowMs(),
    };
  }

  /** A text that has values in it which the client has only pseudonyms of stays on the server, under a name. */
  originalsKept(): void {
    this.#holdsOriginals = true;
  }

  /** @param status as the server told it */
  serverReady(status: string): void {
    this.#state.ready(status);
  }

  ask(one: Case): void {
    const own = one.phase === 'prepare' ? undefined : this.#ownRefusal(one.run);
    if (own !== undefined) {
      this.recordRefused(one.run, one.via, own.rule);
      one.refuse(own.fields);
      return;
    }
    this.options.masks().columns?.asked(one.run);
    const ticket = this.#nextTicket++;
    this.#open = { ticket, one };
    this.host.step({ kind: 'ask', ticket, question: this.#question(one.run, one.via, one.phase ?? 'run') });
  }

  /**
   * Settings of the start-up packet are judged as the SETs they amount to.
   *
   * @returns false where there are none, and so nothing to judge
   */
  askStartup(): boolean {
    const { startup, sql } = this.options;
    if (startup.settings.length === 0) return false;
    const text = startup.settings.map(([name, value]) => `${name} = ${value}`).join('; ');
    const settings = startup.settings.map(([name, value]) => sql.setting(name, value));
    const facts = { ...settings.reduce((all, more) => sql.merge(all, more)), text };
    const run: Run = { statement: 0, text, facts, basis: facts, startedMs: 0 };
    this.host.step({ kind: 'ask', ticket: this.#nextTicket++, question: this.#question(run, 'startup', 'run') });
    return true;
  }

  answer(ticket: number, decision: Decision): void {
    if (this.#study?.ticket === ticket) {
      const { then } = this.#study;
      this.#study = undefined;
      then();
      return;
    }
    if (this.#open?.ticket !== ticket) return;
    const { one } = this.#open;
    if (decision.action === 'hold') {
      this.host.notice(noticeMessage(decision.message));
      return;
    }
    this.#open = undefined;
    // The server has failed on what came before, and would skip it.
    if (this.skipping) return;
    // What is known of the catalogue may be newer than when it was asked.
    const unmaskable =
      decision.action === 'allow' && one.phase !== 'prepare'
        ? (this.#unmaskableForm(one.run) ?? this.#unmaskableColumns(one.run))
        : undefined;
    if (unmaskable !== undefined) {
      this.counts.blocked += 1;
      this.#recordOwnRefusal(one.run, 'hoop/copy-not-maskable');
      one.refuse(unmaskableError(unmaskable));
    } else if (decision.action === 'allow') {
      for (const notice of decision.notices) this.host.notice(noticeMessage(notice));
      if (one.phase !== 'prepare') {
        // What came before, people among it, is not the server's time.
        one.run.startedMs = this.options.nowMs();
        this.#state.running(one.run);
      }
      one.allow();
    } else {
      this.counts.blocked += 1;
      one.refuse(refusalFor(decision, one.run.facts));
    }
  }

  /** A statement that always fails goes up instead: the server keeps order and transaction state, its error becomes ours. */
  refuse(protocol: 'simple' | 'extended', run: Run, fields: ErrorFields): void {
    if (protocol === 'simple') {
      this.expected.push({ kind: 'query', run, refused: fields });
      this.host.toServer(queryMessage(REFUSED_TEXT));
      return;
    }
    this.expected.push({ kind: 'parse', name: REFUSED_TEXT, candidate: undefined, refused: fields });
    this.host.toServer(parseMessage(REFUSED_TEXT, REFUSED_TEXT));
    this.skipping = true;
  }

  /** Records a refusal of this room's own, not of policy. */
  recordRefused(run: Run, via: string, rule: string): void {
    this.counts.blocked += 1;
    this.host.step({ kind: 'record', event: this.#event(run, via) });
    this.#recordOwnRefusal(run, rule);
  }

  #recordOwnRefusal(run: Run, rule: string): void {
    this.host.step({
      kind: 'record',
      event: { type: 'decision', statement: run.statement, action: 'block', rules: [rule], policyHash: '' },
    });
  }

  #event(run: Run, via: string): StatementEvent {
    const { text, isSecret } = this.#recordStatement(run);
    const starts = run.bound?.starts(MAX_MASKED_PARAM) ?? [];
    const params = starts.map((value, index) => {
      if (value === null) return null;
      return isSecret(index + 1) ? '[redacted]' : this.#recordText(value).slice(0, MAX_RECORDED_PARAM);
    });
    const { statement } = run;
    const facts = recordedFacts(run.completedBasis ?? run.basis);
    return params.length === 0
      ? { type: 'statement', statement, text, via, facts }
      : { type: 'statement', statement, text, via, params, facts };
  }

  /** A text that runs again and again is masked once. */
  #recordStatement(run: Run): WithoutPasswords {
    const masker = this.options.masks().record;
    const known = this.#recorded.get(run.basis);
    if (known !== undefined && known.masker === masker && known.text === run.text) return known.shown;
    const { text, isSecret } = readPasswords(run.text);
    const shown = { text: this.#masked(text), isSecret };
    this.#recorded.set(run.basis, { masker, text: run.text, shown });
    return shown;
  }

  #recordText(text: string): string {
    return this.#masked(withoutPasswords(text));
  }

  #masked(text: string): string {
    return this.options.masks().record?.maskText(text, this.#uncounted) ?? text;
  }

  #question(run: Run, via: string, phase: Question['phase']): Question {
    return {
      statement: run.statement,
      facts: { sql: run.facts },
      basis: run.basis,
      phase,
      completed: ({ sql }, basis) => {
        run.facts = sql ?? run.facts;
        run.completedBasis = basis as SqlFacts;
      },
      event: () => this.#event(run, via),
      reviewText: () => this.#recordText(run.text),
      bindTo: () => this.#bindTo(run),
      held: () => this.#held(run),
    };
  }

  #held(run: Run): HeldStatement {
    const { text, basis, facts } = run;
    const sent = run.bound?.sent ?? { types: [], formats: [], values: [] };
    return { text, basis, facts, ...sent, sessionChanged: this.#state.changed };
  }

  /** What it means, with what is bound to it, what it runs by name or reaches, and the state of the session it runs in. */
  #bindTo(run: Run): Uint8Array {
    const { sql } = this.options;
    const runs = [run.executes?.map((text) => sql.normalForm(text)) ?? [], run.calls ?? 0];
    const bound = [sql.normalForm(run.text), run.bound?.texts() ?? [], runs, this.#state.of(run)];
    const reached = reachedForm((run.completedBasis ?? run.basis).uses?.reached ?? []);
    return new TextEncoder().encode(JSON.stringify([...bound, reached]));
  }

  /** What may not run, whatever rules say of it. */
  #ownRefusal(run: Run): { readonly rule: string; readonly fields: ErrorFields } | undefined {
    const unmaskable = this.#unmaskableForm(run);
    if (unmaskable !== undefined) return { rule: 'hoop/copy-not-maskable', fields: unmaskableError(unmaskable) };
    const back = this.options.masks().writeBack.refusal(run);
    if (back === undefined) return undefined;
    const { rule, message, hint } = back;
    const fields = refusalFor({ action: 'block', message: `blocked by policy ${rule}: ${message}`, hint }, undefined);
    return { rule, fields };
  }

  /** Where masks apply, a COPY to the client must be in a form that can be masked: else why it isn't. */
  #unmaskableForm(run: Run): string | undefined {
    const masks = this.options.masks();
    if (!run.facts.effects.includes('copy-out') || (masks.answers === undefined && masks.columns === undefined))
      return undefined;
    const format = this.options.sql.copyFormat(run.text);
    if (format === undefined) return 'a COPY in this form can not be masked; use a plain SELECT';
    return undefined;
  }

  /** Where columns are masked whole, it must be known which are copied. */
  #unmaskableColumns(run: Run): string | undefined {
    const { columns } = this.options.masks();
    if (columns === undefined || !run.facts.effects.includes('copy-out')) return undefined;
    const copied = columns.ofCopy(run);
    if (copied === undefined) return 'nobody can tell which columns of this COPY are masked whole; use a plain SELECT';
    return undefined;
  }
}

function unmaskableError(why: string): ErrorFields {
  return { severity: 'ERROR', code: SQLSTATE.insufficientPrivilege, message: `hoop: ${why}` };
}
