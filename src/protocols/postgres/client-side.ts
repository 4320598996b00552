import { isFault, type Fault } from '../../core/errors.js';
import type { StatementEvent } from '../../core/events.js';
import type { SqlFacts } from '../../policy/types.js';
import type { Decision, Question, Step } from '../contract.js';
import { bindBody, boundTexts, executePortal, parseBody, queryText, targetBody, type BindBody } from './client-messages.js';
import type { ExpectedReplies } from './expected-replies.js';
import { CLIENT, type Frame, FrameParser } from './frames.js';
import { describeMessage, noticeMessage, parseMessage, queryMessage, terminateMessage, type ErrorFields } from './messages.js';
import type { Candidate, PreparedStatements } from './prepared.js';
import { REFUSED_TEXT, refusalFor, SQLSTATE } from './refusal.js';
import type { Portal, Run } from './run.js';
import type { PostgresSessionOptions } from './session-options.js';
import { changesReading, decodeStatement, recordedFacts, unreadable, withoutPasswords } from './statement-text.js';

/** What the client's side needs done. */
export interface ClientSideHost {
  toServer(bytes: Uint8Array): void;
  notice(bytes: Uint8Array): void;
  step(step: Step): void;
  fault(fault: Fault): void;
}

interface OpenTicket {
  readonly ticket: number;
  readonly facts: SqlFacts | undefined;
  readonly allow: () => void;
  readonly refuse: (fields: ErrorFields) => void;
}

/** Messages that rules or masks have to read; the others only pass. */
const READ: ReadonlySet<number> = new Set([CLIENT.query, CLIENT.parse, CLIENT.bind, CLIENT.functionCall]);
/** Characters of one bound value that the record keeps. */
const MAX_RECORDED_PARAM = 1024;
const MAX_PORTALS = 10_000;
const MAX_UNREAD_BYTES = 1 << 30;

/** Reads the client's messages in order; stops at each one that has to be decided until the answer is there. */
export class ClientSide {
  readonly counts = { statements: 0, blocked: 0 };
  /** The client has said goodbye. */
  ending = false;
  readonly #parser: FrameParser;
  readonly #portals = new Map<string, Portal>();
  #ticket: OpenTicket | undefined;
  #nextTicket = 1;
  #skipping = false;
  /** A statement is under way that may change how the next one reads: wait for the server. */
  #barrier = false;
  /** The server reads COPY data: it ignores a Sync in the midst of it. */
  #copyIn = false;
  #encoding = 'UTF8';
  #conforming = true;

  constructor(
    private readonly options: PostgresSessionOptions,
    private readonly expected: ExpectedReplies,
    private readonly prepared: PreparedStatements,
    private readonly host: ClientSideHost,
  ) {
    const { statementBytes, rowBytes } = options.limits;
    this.#parser = new FrameParser({
      maxFrameBytes: (type) => (READ.has(type) && options.readsSql() ? statementBytes : type === CLIENT.copyData ? MAX_UNREAD_BYTES : rowBytes),
    });
  }

  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
  }

  parameter(name: string, value: string): void {
    if (name === 'client_encoding') this.#encoding = value;
    if (name === 'standard_conforming_strings') this.#conforming = value !== 'off';
  }

  /** The server reported an error with no Sync under way: it ignores everything up to the next. */
  skipToSync(): void {
    this.#skipping = true;
  }

  copyStarted(): void {
    this.#copyIn = true;
  }

  /** Follows what SQL itself does to prepared statements; the same names serve the protocol's. */
  completed(run: Run, tag: string): void {
    if (run.facts.statements !== 1) return;
    if (tag === 'PREPARE') for (const { name } of this.options.sql.preparedIn(run.text)) this.prepared.confirmText(name, run.text);
    const name = tag === 'DEALLOCATE' ? /^\s*deallocate\s+(?:prepare\s+)?(?:"((?:[^"]|"")+)"|([\w$]+))\s*;?\s*$/i.exec(run.text) : null;
    if (name === null) return;
    const closed = name[1]?.replaceAll('""', '"') ?? (name[2] as string).toLowerCase();
    this.prepared.closed(closed, this.prepared.candidates(closed) ?? []);
  }

  /** Settings of the start-up packet are judged as the SETs they amount to. */
  askStartup(): void {
    const { startup, sql } = this.options;
    const settings = startup.settings;
    if (startup.replication !== undefined && !/^(false|off|no|0)$/i.test(startup.replication)) {
      this.host.fault({ code: 'not_in_version', message: 'replication connections are not available' });
      return;
    }
    const text = settings.map(([name, value]) => `${name} = ${value}`).join('; ');
    const facts = settings.length === 0 ? undefined : { ...sql.merge(settings.map(([name, value]) => sql.setting(name, value))), text };
    const run: Run = { statement: 0, text, facts: facts ?? unreadable('', ''), startedMs: 0 };
    const question = this.#question(run, 'startup', facts === undefined ? 'prepare' : 'run');
    this.host.step({ kind: 'ask', ticket: this.#nextTicket++, question: facts === undefined ? { ...question, facts: {}, event: () => undefined } : question });
  }

  startupAnswered(notices: readonly string[]): void {
    for (const notice of notices) this.host.notice(noticeMessage(notice));
  }

  answer(ticket: number, decision: Decision): void {
    const open = this.#ticket;
    if (open?.ticket !== ticket) return;
    if (decision.action === 'hold') {
      this.host.notice(noticeMessage(decision.message));
      return;
    }
    this.#ticket = undefined;
    if (decision.action === 'allow') {
      for (const notice of decision.notices) this.host.notice(noticeMessage(notice));
      open.allow();
    } else {
      this.counts.blocked += 1;
      open.refuse(refusalFor(decision, open.facts));
    }
    this.proceed();
  }

  /** Works off what has arrived, up to the next message that must be decided. */
  proceed(): void {
    while (this.#ticket === undefined && !this.ending) {
      if (this.#barrier && this.#mustWait()) return;
      const frame = this.#parser.next();
      if (frame === undefined) return;
      if (isFault(frame)) {
        this.host.fault(frame);
        return;
      }
      this.#frame(frame);
    }
  }

  /** Text can't be read before the server has said how it reads now. */
  #mustWait(): boolean {
    if (this.expected.length === 0) {
      this.#barrier = false;
      return false;
    }
    const type = this.#parser.nextType;
    return (type === CLIENT.query || type === CLIENT.parse) && this.expected.settles;
  }

  #frame(frame: Frame): void {
    if (this.#skipping && frame.type !== CLIENT.sync && frame.type !== CLIENT.terminate) return;
    if (frame.oversizeBytes !== undefined) {
      this.#oversize(frame);
      return;
    }
    switch (frame.type) {
      case CLIENT.query:
        this.#query(frame.bytes);
        return;
      case CLIENT.parse:
        this.#parse(frame.bytes);
        return;
      case CLIENT.bind:
        this.#bind(frame.bytes);
        return;
      case CLIENT.execute:
        this.#execute(frame.bytes);
        return;
      case CLIENT.describe:
      case CLIENT.close:
        this.#target(frame);
        return;
      case CLIENT.functionCall:
        this.#functionCall(frame.bytes);
        return;
      case CLIENT.sync:
        this.#skipping = false;
        if (!this.#copyIn) this.expected.push({ kind: 'sync' });
        this.host.toServer(frame.bytes);
        return;
      case CLIENT.copyDone:
      case CLIENT.copyFail:
        if (this.expected.length > 0 && !this.#copyIn) this.expected.push({ kind: 'copy-end' });
        this.#copyIn = false;
        this.host.toServer(frame.bytes);
        return;
      case CLIENT.copyData:
      case CLIENT.flush:
        this.host.toServer(frame.bytes);
        return;
      case CLIENT.terminate:
        this.ending = true;
        this.host.toServer(terminateMessage());
        this.host.step({ kind: 'close', reason: 'client' });
        return;
      default:
        this.host.fault({ code: 'protocol', message: 'the client sent something that is no message' });
    }
  }

  #oversize(frame: Frame): void {
    const limit = `message of ${String(frame.oversizeBytes)} B, limit is ${String(this.options.limits.statementBytes)} B`;
    if (!READ.has(frame.type)) {
      this.host.fault({ code: 'limit', message: limit });
      return;
    }
    const run = this.#run('', unreadable('', 'over the size limit'));
    this.#recordRefused({ ...run, text: `(${limit})` }, 'oversize', 'hoop/statement-size');
    this.#refuse(frame.type === CLIENT.query || frame.type === CLIENT.functionCall, run, { severity: 'ERROR', code: SQLSTATE.programLimit, message: `hoop: ${limit}` });
  }

  #query(bytes: Uint8Array): void {
    const raw = queryText(bytes);
    if (raw === undefined) {
      this.host.fault({ code: 'protocol', message: 'malformed query message' });
      return;
    }
    const { text, facts } = this.#read(raw);
    const run = this.#run(text, this.#withExecuted(text, facts));
    this.#ask(run, 'query', () => {
      this.#remember(text);
      this.#barrier = changesReading(text);
      this.expected.push({ kind: 'query', run });
      this.host.toServer(bytes);
    }, (fields) => {
      this.#refuse(true, run, fields);
    });
  }

  #parse(bytes: Uint8Array): void {
    const body = parseBody(bytes);
    if (body === undefined) {
      this.host.fault({ code: 'protocol', message: 'malformed parse message' });
      return;
    }
    const { text, facts } = this.#read(body.text);
    const run: Run = { statement: this.counts.statements + 1, text, facts, startedMs: this.options.nowMs() };
    this.#ask(run, 'parse', () => {
      const candidate: Candidate = { text, facts, types: body.types };
      this.prepared.propose(body.name, candidate);
      this.#remember(text);
      this.expected.push({ kind: 'parse', name: body.name, candidate });
      this.host.toServer(bytes);
    }, (fields) => {
      this.counts.statements += 1;
      this.#refuse(false, run, fields);
    }, 'prepare');
  }

  #bind(bytes: Uint8Array): void {
    const body = bindBody(bytes);
    if (body === undefined) {
      this.host.fault({ code: 'protocol', message: 'malformed bind message' });
      return;
    }
    const candidates = this.prepared.candidates(body.statement);
    if (candidates?.length === 0) {
      // Nobody knows such a statement, and what nobody has read may not run: the server's own answer to it.
      this.#refuse(false, undefined, { severity: 'ERROR', code: SQLSTATE.invalidStatementName, message: `prepared statement "${body.statement}" does not exist` });
      return;
    }
    const only = candidates?.length === 1 ? candidates[0] : undefined;
    const facts = only?.facts ?? (candidates === undefined ? unreadable('', 'too many texts under one name') : this.options.sql.merge(candidates.map((candidate) => candidate.facts)));
    const text = only?.text ?? (candidates ?? []).map((candidate) => candidate.text).join(';\n');
    const params = boundTexts(body, only?.types ?? []);
    const run = this.#run(text, this.#withExecuted(text, { ...facts, params }));
    this.#ask(run, 'execute', () => {
      this.#bound(bytes, body, run);
    }, (fields) => {
      this.#refuse(false, run, fields);
    });
  }

  #bound(bytes: Uint8Array, body: BindBody, run: Run): void {
    const portal: Portal = { run, resultFormats: body.resultFormats, columns: undefined };
    if (this.#portals.size > MAX_PORTALS) this.#portals.clear();
    this.#portals.set(body.portal, portal);
    this.#barrier = changesReading(run.text);
    this.expected.push({ kind: 'bind', name: body.portal, portal });
    this.host.toServer(bytes);
  }

  #execute(bytes: Uint8Array): void {
    const target = executePortal(bytes);
    if (target === undefined) {
      this.host.fault({ code: 'protocol', message: 'malformed execute message' });
      return;
    }
    const portal = this.#portals.get(target.name);
    if (portal !== undefined) {
      this.#runPortal(bytes, portal, target.nameBytes);
      return;
    }
    // A cursor that SQL has declared can be run by this message too: it is judged as the FETCH that it amounts to.
    const text = `FETCH ALL FROM "${target.name.replaceAll('"', '""')}"`;
    const run = this.#run(text, this.options.sql.analyze(text));
    this.#ask(run, 'execute', () => {
      this.#runPortal(bytes, { run, resultFormats: [], columns: undefined }, target.nameBytes);
    }, (fields) => {
      this.#refuse(false, run, fields);
    });
  }

  /** Masks need to know the columns: where the client has not asked for them, we do, and keep the answer. */
  #runPortal(bytes: Uint8Array, portal: Portal, name: Uint8Array): void {
    const pendingDescribe = portal.described === true;
    if (portal.columns === undefined && !pendingDescribe) {
      portal.described = true;
      this.expected.push({ kind: 'describe', portal, injected: true });
      this.host.toServer(describeMessage('P', name));
    }
    this.expected.push({ kind: 'execute', portal });
    this.host.toServer(bytes);
  }

  #target(frame: Frame): void {
    const target = targetBody(frame.bytes);
    if (target === undefined) {
      this.host.fault({ code: 'protocol', message: 'malformed describe or close message' });
      return;
    }
    if (frame.type === CLIENT.close) {
      const statement = target.kind === 'S' ? target.name : undefined;
      if (target.kind === 'P') this.#portals.delete(target.name);
      this.expected.push({ kind: 'close', statement, held: statement === undefined ? [] : [...(this.prepared.candidates(statement) ?? [])] });
    } else {
      const portal = target.kind === 'P' ? this.#portals.get(target.name) : undefined;
      if (portal !== undefined) portal.described = true;
      this.expected.push({ kind: 'describe', portal, injected: false });
    }
    this.host.toServer(frame.bytes);
  }

  #functionCall(bytes: Uint8Array): void {
    const text = '(function call message)';
    const run = this.#run(text, this.options.sql.functionCall());
    this.#ask(run, 'function-call', () => {
      this.expected.push({ kind: 'function', run });
      this.host.toServer(bytes);
    }, (fields) => {
      this.#refuse(true, run, fields);
    });
  }

  #read(raw: Uint8Array): { readonly text: string; readonly facts: SqlFacts } {
    // Behind a change of encoding in the same pipeline nobody can tell yet how the server will read.
    const text = this.#barrier ? undefined : decodeStatement(raw, this.#encoding, this.#conforming);
    if (text !== undefined) return { text, facts: this.options.sql.analyze(text) };
    const shown = new TextDecoder().decode(raw);
    return { text: shown, facts: unreadable(shown, 'text in an encoding or string syntax that can not be judged') };
  }

  /** `EXECUTE name` runs what was prepared under that name: its facts are added. */
  #withExecuted(text: string, facts: SqlFacts): SqlFacts {
    if (!facts.effects.includes('execute')) return facts;
    const own = new Set(this.options.sql.preparedIn(text).map((prepared) => prepared.name));
    const added: SqlFacts[] = [];
    for (const name of this.options.sql.executedIn(text)) {
      const candidates = this.prepared.candidates(name);
      if (candidates === undefined || (candidates.length === 0 && !own.has(name))) added.push(unreadable(text, 'EXECUTE of a statement that was not seen'));
      else added.push(...candidates.map((candidate) => candidate.facts));
    }
    return { ...this.options.sql.merge([facts, ...added]), text: facts.text, params: facts.params, statements: facts.statements };
  }

  #remember(text: string): void {
    if (!/prepare/i.test(text)) return;
    for (const { name, facts } of this.options.sql.preparedIn(text)) this.prepared.propose(name, { text, facts, types: [] });
  }

  #run(text: string, facts: SqlFacts): Run {
    this.counts.statements += 1;
    return { statement: this.counts.statements, text, facts, startedMs: this.options.nowMs() };
  }

  #event(run: Run, via: string): StatementEvent {
    const mask = this.#recordText;
    const { params } = run.facts;
    return {
      type: 'statement',
      statement: run.statement,
      text: mask(run.text),
      via,
      ...(params.length === 0 ? {} : { params: params.map((value) => (value === null ? null : mask(value.slice(0, MAX_RECORDED_PARAM)))) }),
      facts: recordedFacts(run.facts),
    };
  }

  /** A refusal of this room's own, not of policy. */
  #recordRefused(run: Run, via: string, rule: string): void {
    this.counts.blocked += 1;
    this.host.step({ kind: 'record', event: this.#event(run, via) });
    this.host.step({ kind: 'record', event: { type: 'decision', statement: run.statement, action: 'block', rules: [rule], policyHash: '' } });
  }

  readonly #recordText = (text: string): string => {
    const plain = withoutPasswords(text);
    return this.options.masks().record?.maskText(plain, new Map()) ?? plain;
  };

  #question(run: Run, via: string, phase: Question['phase']): Question {
    return {
      statement: run.statement,
      facts: { sql: run.facts },
      phase,
      event: () => this.#event(run, via),
      reviewText: () => this.#recordText(run.text),
      bindTo: () => new TextEncoder().encode(JSON.stringify([run.text, run.facts.params])),
    };
  }

  #ask(run: Run, via: string, allow: () => void, refuse: (fields: ErrorFields) => void, phase: Question['phase'] = 'run'): void {
    const ticket = this.#nextTicket++;
    this.#ticket = { ticket, facts: run.facts, allow, refuse };
    if (phase === 'run' && this.#unmaskableCopy(run)) {
      this.#ticket = undefined;
      this.#recordRefused(run, via, 'hoop/copy-not-maskable');
      refuse({ severity: 'ERROR', code: SQLSTATE.insufficientPrivilege, message: 'hoop: this COPY can not be masked; use COPY (SELECT …) TO STDOUT in text or CSV form, or a plain SELECT' });
      return;
    }
    this.host.step({ kind: 'ask', ticket, question: this.#question(run, via, phase) });
  }

  /** Where masks apply, a COPY to the client must be in a form and of columns that can be masked. */
  #unmaskableCopy(run: Run): boolean {
    const masks = this.options.masks();
    if (!run.facts.effects.includes('copy-out') || (masks.answers === undefined && !masks.columnsMasked)) return false;
    const format = this.options.sql.copyFormat(run.text);
    return format === undefined || format.kind === 'binary' || (masks.columnsMasked && masks.copyTouchesColumns(run.facts));
  }

  /** A statement that always fails goes up instead: the server keeps order and transaction state, its error becomes ours. */
  #refuse(simple: boolean, run: Run | undefined, fields: ErrorFields): void {
    if (simple && run !== undefined) {
      this.expected.push({ kind: 'query', run, refused: fields });
      this.host.toServer(queryMessage(REFUSED_TEXT));
      return;
    }
    this.expected.push({ kind: 'parse', name: REFUSED_TEXT, candidate: undefined, refused: fields });
    this.host.toServer(parseMessage(REFUSED_TEXT, REFUSED_TEXT));
    this.#skipping = true;
  }
}
