import { BoundValues } from './statements/bound-values.js';
import { bindBody, executePortal, parseBody, targetBody, type BindBody } from './wire/client-messages.js';
import { boundTo } from './facts/bound-facts.js';
import { CLIENT, type Frame, typeSet } from './wire/frames.js';
import { describeMessage } from './wire/messages.js';
import { bindWithOriginals, withOriginals } from './originals/originals.js';
import { refuseChanged, refuseTelling, refuseUnknown } from './own-refusals.js';
import type { Candidate } from './statements/prepared.js';
import { Portals } from './statements/portals.js';
import { SQLSTATE } from './refusal.js';
import { Restatement } from './statements/restatement.js';
import type { ExecutedOriginals, Portal, Run } from './statements/run.js';
import { explains, isUnread, keepsText, mayClosePortals, mayOpenCursors } from './statements/run-effects.js';
import { StatementParts } from './statements/statement-parts.js';
import { unreadable } from './statements/statement-text.js';

/**
 * The extended protocol's messages. A text is refused at its Parse where it would be blocked
 * whatever is bound; it is decided, once for each run, at its Bind, before the server plans it.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class ExtendedQuery extends StatementParts {
  readonly #portals = new Portals();
  readonly #restatement = new Restatement(this.desk, this.expected, this.prepared, this.sqlPrepared, this.reader);
  /**
   * Portals whose columns are known for certain when they run next. Once something else runs, SQL may
   * have closed a portal and declared a cursor of its name, whose columns would pass by the old masks.
   */
  #generation = 0;
  /** Statements that ran and may have closed a portal: what now stands under its name may be a cursor. */
  #closers = 0;
  /** A cursor of SQL may stand under any name. */
  #mayHoldCursors = false;

  /** About the memory that open portals take, in bytes. */
  get heldBytes(): number {
    return this.#portals.heldBytes;
  }

  parse(bytes: Uint8Array): void {
    const body = parseBody(bytes, this.reader.encoding);
    if (body === undefined) return this.#malformed('parse');
    const { text, facts } = this.reader.read(body.text);
    const run: Run = {
      statement: this.desk.counts.statements + 1,
      text,
      facts,
      basis: facts,
      startedMs: this.desk.options.nowMs(),
    };
    this.desk.ask({
      run,
      via: 'parse',
      phase: 'prepare',
      allow: () => {
        const { encoding } = this.reader;
        const masks = this.desk.options.masks();
        const rewritten = withOriginals(bytes, body.text, text, masks, encoding, undefined, explains(facts));
        const { edits, swaps } = rewritten ?? {};
        const candidate: Candidate = { text, facts, types: body.types, edits, swaps };
        if (rewritten !== undefined && (body.name !== '' || keepsText(facts))) this.desk.originalsKept();
        this.prepared.propose(body.name, candidate);
        this.expected.push({ kind: 'parse', name: body.name, candidate });
        this.desk.host.toServer(rewritten?.message ?? bytes);
      },
      refuse: (fields) => {
        this.desk.counts.statements += 1;
        this.desk.refuse('extended', run, fields);
      },
    });
  }

  bind(bytes: Uint8Array): void {
    const body = bindBody(bytes, this.reader.encoding);
    if (body === undefined) return this.#malformed('bind');
    const doubtful = this.#mustRead() ? this.#restatement.needed(body.statement) : undefined;
    const candidates = doubtful === undefined ? this.prepared.candidates(body.statement) : [doubtful];
    if (candidates?.length === 0 && this.#mustRead()) {
      // Nobody has read such a statement, and what nobody has read may not run: the server's own answer to it.
      refuseUnknown(this.desk, `prepared statement "${body.statement}" does not exist`, SQLSTATE.invalidStatementName);
      return;
    }
    const run = this.#boundRun(body, candidates);
    this.desk.ask({
      run,
      via: 'execute',
      allow: () => {
        run.bound?.release();
        const only = this.#asItHasToStand(body.statement, doubtful, candidates);
        const originalsFor = only?.length === 1 ? only[0]?.originalsFor : undefined;
        this.#bound(this.#withOriginals(bytes, run, only), body, run, originalsFor);
        for (const candidate of candidates ?? [])
          if (candidate.bySql !== true) this.sqlPrepared.remember(candidate.text, candidate.facts, candidate.edits);
      },
      refuse: (fields) => {
        run.bound?.release();
        this.desk.refuse('extended', run, fields);
      },
    });
  }

  /** What the server holds under the name when the Bind comes to it. */
  #asItHasToStand(
    name: string,
    doubtful: Candidate | undefined,
    candidates: readonly Candidate[] | undefined,
  ): readonly Candidate[] | undefined {
    const only = candidates?.length === 1 ? candidates[0] : undefined;
    const anew = doubtful ? this.#restatement.restated(name, doubtful) : this.#restatement.forExecute(name, only);
    return anew === undefined ? candidates : [anew];
  }

  /**
   * Does any rule or mask depend on what a statement says? Where none does, one that a function on the server prepared
   * out of sight runs as it would direct, and the server itself says of a name that it does not know it.
   */
  #mustRead(): boolean {
    const { answers, columns } = this.desk.options.masks();
    return this.desk.options.readsSql() || answers !== undefined || columns !== undefined;
  }

  execute(bytes: Uint8Array): void {
    const target = executePortal(bytes, this.reader.encoding);
    if (target === undefined) return this.#malformed('execute');
    const portal = this.#portals.get(target.name);
    if (portal?.originalsFor !== undefined && !this.#restatement.holds(portal.originalsFor)) {
      refuseChanged(this.desk, portal);
      return;
    }
    const stands = portal !== undefined && portal.failed !== true;
    // No SQL opens a cursor without a name: nothing else can stand there.
    if (target.name === '' && !stands && this.#mustRead()) {
      refuseUnknown(this.desk, `portal "" does not exist`, SQLSTATE.invalidCursorName);
      return;
    }
    if (stands && portal.run.tells === true && refuseTelling(this.desk, portal)) return;
    // Where its Bind fails, a cursor of the name that was there before is what runs.
    const isDoubtful = this.#mayHoldCursors && portal !== undefined && this.expected.mayFailApart(portal);
    const isAlone = stands && portal.boundIn === this.#closers && !isDoubtful;
    if (stands && (isAlone || target.name === '')) {
      // An EXECUTE looks its name up now.
      if (portal.judgedBy === undefined || portal.judgedBy === this.prepared.changes)
        this.#runPortal(bytes, portal, target.nameBytes);
      else this.#judgeAgain(bytes, this.#executing(portal.run), target.nameBytes);
      return;
    }
    // A cursor that SQL has declared can be run by this message too: it is judged as the FETCH that it amounts to.
    const text = `FETCH ALL FROM "${target.name.replaceAll('"', '""')}"`;
    const { sql } = this.desk.options;
    const fetched = sql.read(text).facts;
    const run = this.desk.newRun(text, portal === undefined ? fetched : sql.merge(fetched, portal.run.facts));
    this.#judgeAgain(bytes, run, target.nameBytes);
  }

  /** A run of this text as names of prepared statements are known now. */
  #executing({ text, edits }: Run): Run {
    const facts = this.sqlPrepared.withExecuted(text, this.desk.options.sql.read(text).facts);
    const run = this.desk.newRun(text, facts, facts, { executes: this.sqlPrepared.executedTexts(text, facts) });
    if (edits !== undefined) run.edits = edits;
    return run;
  }

  #judgeAgain(bytes: Uint8Array, run: Run, name: Uint8Array): void {
    this.desk.ask({
      run,
      via: 'execute',
      allow: () => {
        this.#runPortal(bytes, { run, columns: undefined }, name);
      },
      refuse: (fields) => {
        this.desk.refuse('extended', run, fields);
      },
    });
  }

  describe(frame: Frame): void {
    const target = targetBody(frame.bytes, this.reader.encoding);
    if (target === undefined) return this.#malformed('describe');
    const portal = target.kind === 'P' ? this.#portals.get(target.name) : undefined;
    if (portal !== undefined) portal.describedIn = this.#generation;
    this.expected.push({ kind: 'describe', portal, injected: false });
    this.desk.host.toServer(frame.bytes);
  }

  close(frame: Frame): void {
    const target = targetBody(frame.bytes, this.reader.encoding);
    if (target === undefined) return this.#malformed('close');
    const statement = target.kind === 'S' ? target.name : undefined;
    if (target.kind === 'P') this.#portals.delete(target.name);
    const held = statement === undefined ? [] : [...(this.prepared.candidates(statement) ?? [])];
    this.expected.push({ kind: 'close', statement, held });
    this.desk.host.toServer(frame.bytes);
  }

  /** A statement's name may stand for several texts until the server has answered: it is judged by all of them. */
  #boundRun(body: BindBody, candidates: readonly Candidate[] | undefined): Run {
    const only = candidates?.length === 1 ? candidates[0] : undefined;
    const types = only?.types ?? [];
    const bound = new BoundValues(body, types, this.desk.options.limits.statementBytes);
    const [first, ...others] = candidates ?? [];
    const all = others.reduce(
      (facts, candidate) => this.desk.options.sql.merge(facts, candidate.facts),
      first?.facts ??
        unreadable('', candidates === undefined ? 'too many texts under one name' : 'prepared out of sight'),
    );
    const text = only?.text ?? (candidates ?? []).map((candidate) => candidate.text).join(';\n');
    const facts = this.sqlPrepared.withExecuted(text, boundTo(all, { text, params: () => bound.typed() }));
    // What one text alone says is the same at every Bind, but for what is bound.
    const basis = only !== undefined && !facts.effects.includes('execute') ? only.facts : facts;
    return this.desk.newRun(text, facts, basis, { executes: this.sqlPrepared.executedTexts(text, facts), bound });
  }

  /** Only where it is certain which text the values are for. */
  #withOriginals(bytes: Uint8Array, run: Run, candidates: readonly Candidate[] | undefined): Uint8Array {
    const only = candidates?.length === 1 ? candidates[0] : undefined;
    if (only === undefined || only.bySql === true) {
      // Of which text an error will speak is not known: it may quote what stands in any of them.
      if (candidates?.some(({ edits }) => edits !== undefined) === true) run.edits = [];
      run.swaps = candidates?.flatMap(({ swaps }) => swaps ?? []);
      return bytes;
    }
    const masks = this.desk.options.masks();
    const shows = explains(only.facts);
    const bound = bindWithOriginals(bytes, only.text, only.types, masks, this.reader.encoding, shows);
    if (shows) run.swaps = [...(only.swaps ?? []), ...(bound?.swaps ?? [])];
    const edits = only.edits ?? (bound === undefined ? undefined : []);
    if (edits !== undefined) run.edits = edits;
    if (bound !== undefined && keepsText(run.facts)) this.desk.originalsKept();
    return bound?.message ?? bytes;
  }

  #bound(bytes: Uint8Array, body: BindBody, run: Run, originalsFor: ExecutedOriginals | undefined): void {
    const portal: Portal = { run, columns: undefined, boundIn: this.#closers, originalsFor };
    if (run.facts.effects.includes('execute')) portal.judgedBy = this.prepared.changes;
    this.#portals.set(body.portal, portal);
    if (body.portal !== '') this.desk.options.masks().columns?.portalNamed(body.portal);
    this.reader.running(run);
    // The planner may run it already.
    if (isUnread(run)) this.prepared.doubt();
    this.expected.push({ kind: 'bind', name: body.portal, portal });
    this.desk.host.toServer(bytes);
  }

  /** Masks and record need to know the columns: where the client has not asked for them, we do, and keep the answer. */
  #runPortal(bytes: Uint8Array, portal: Portal, name: Uint8Array): void {
    if (portal.describedIn !== this.#generation) {
      this.expected.push({ kind: 'describe', portal, injected: true });
      this.desk.host.toServer(describeMessage('P', name));
    }
    this.otherRan(portal.run);
    this.reader.runsOn(portal.run);
    portal.describedIn = this.#generation;
    // Nothing that runs can close itself.
    portal.boundIn = this.#closers;
    this.expected.push({ kind: 'execute', portal });
    this.desk.host.toServer(bytes);
  }

  /** A statement is about to run. */
  otherRan(run: Run): void {
    this.#generation += 1;
    if (mayClosePortals(run)) this.#closers += 1;
    this.#mayHoldCursors ||= mayOpenCursors(run);
    if (isUnread(run)) this.prepared.doubt();
  }

  /** The server has no portal any more of those that it had opened. */
  transactionEnded(): void {
    this.#portals.transactionEnded();
  }

  #malformed(what: string): void {
    this.desk.host.fault({ code: 'protocol', message: `malformed ${what} message` });
  }
}

/** Which of these frames belong here. */
export const EXTENDED = typeSet([CLIENT.parse, CLIENT.bind, CLIENT.execute, CLIENT.describe, CLIENT.close]);
