import type { RequestImpact, RequestPreview } from '../../../core/approval.js';
import { HoopError, messageOf } from '../../../core/errors.js';
import type { ApprovalPreviewed } from '../../../core/events.js';
import type { PostgresConnection } from '../../../core/resources.js';
import type { HeldStatement, Question } from '../../../protocols/contract.js';
import type { Catalog, NameLookup } from '../../../protocols/postgres/catalog/types.js';
import { formatAt } from '../../../protocols/postgres/wire/client-messages.js';
import { maskedSample } from '../../../protocols/postgres/trial/masked-sample.js';
import { reachedTables } from '../../../protocols/postgres/trial/reached-tables.js';
import { notTakenBack } from '../../../protocols/postgres/trial/takes-back.js';
import { trialText } from '../../../protocols/postgres/trial/trial-text.js';
import type { HoldAnswer } from '../../drive/drive-host.js';
import { NOT_TRIED, type PreviewAsker } from '../../holds/previews.js';
import type { SessionHost } from '../../sessions/session-host.js';
import { cancelUpstream } from './cancel-upstream.js';
import { completeHeld } from './complete-question.js';
import { dialUpstream } from './dial-upstream.js';
import { findImpact } from './find-impact.js';
import { OwnConnection, withFreshPassword, type OwnAnswer, type OwnSession } from './own-connection.js';
import type { SessionCatalog } from './session-catalog.js';
import type { SessionJudge } from './session-judge.js';
import { STATEMENT_TIMEOUT_MS, TrialSession } from './trial-session.js';
import { tryOut } from './try-out.js';

/** All that is asked for one impact or preview. */
const TRIAL_TIMEOUT_MS = 3 * STATEMENT_TIMEOUT_MS;

/** The session whose held statements are tried out. */
export interface TriedSession {
  readonly host: Pick<SessionHost, 'approvals' | 'previews' | 'withoutSecrets' | 'log'>;
  readonly connection: PostgresConnection;
  /** As whom and where, with the settings that it started with. */
  readonly own: OwnSession;
  readonly judge: Pick<SessionJudge, 'ownMasks' | 'masks'>;
  readonly catalog: SessionCatalog;
  lookup(catalog: Catalog): NameLookup | undefined;
  inTransaction(): boolean;
  /** Writes to the session's record, safe when it resolves. */
  record(event: ApprovalPreviewed): Promise<void>;
}

/** What is known of the place in which a statement would run. */
interface Place {
  readonly held: HeldStatement;
  readonly catalog: Catalog;
  readonly lookup: NameLookup;
}

/** Asks the server what held statements would do, over connections of the agent's own with the session's credential. */
export class HeldTrials {
  constructor(private readonly session: TriedSession) {}

  /** Of a statement that waits for people: its impact is found out, and it can be tried out until they have decided. */
  following(answer: HoldAnswer, question: Question): HoldAnswer {
    const held = question.statement === 0 ? undefined : question.held?.();
    if (answer.kind !== 'wait' || held === undefined) return answer;
    const { id, flows, previewWanted } = answer.request;
    const { approvals, previews } = this.session.host;
    const over = new AbortController();
    const withdraw = previews.offer(id, (asker) =>
      this.#previewed(id, question.statement, { held, asker, over: over.signal }),
    );
    const end = (): void => {
      withdraw();
      over.abort();
    };
    answer.outcome.then(end, end);
    void this.#impact(held).then((impact) => {
      approvals.complete(id, { impact });
    });
    if (previewWanted === true)
      previews.ahead(id, flows.join(', '), (preview) => {
        // Of what has run meanwhile it would tell of another state.
        if (!over.signal.aborted) approvals.complete(id, { preview });
      });
    return answer;
  }

  /** Never rejects: what can't be found out is said to be unknown, and holds nothing up. */
  async #impact(held: HeldStatement): Promise<RequestImpact> {
    try {
      const place = await this.#place(held);
      if (typeof place === 'string') return { unknown: place };
      const reached = reachedTables(place.held.basis, place.held.facts, place.catalog, place.lookup);
      return await this.#within('read only', place, (trial) => findImpact(trial, place.held, reached));
    } catch (error) {
      return { unknown: reasonOf(error) };
    }
  }

  async #previewed(request: string, statement: number, asked: AskedTrial): Promise<RequestPreview> {
    const preview = await this.#preview(asked).catch((error: unknown): RequestPreview => ({
      notes: [],
      refused: asked.over.aborted ? NOT_TRIED : reasonOf(error),
    }));
    const { rows, before, after, notes, refused } = preview;
    await this.session.record({
      type: 'approval.preview',
      statement,
      request,
      ...askerName(asked.asker),
      ...(rows === undefined ? {} : { rows }),
      shown: (before?.rows.length ?? 0) + (after?.rows.length ?? 0),
      notes,
      ...(refused === undefined ? {} : { refused }),
    });
    return preview;
  }

  async #preview({ held: given, asker, over }: AskedTrial): Promise<RequestPreview> {
    const place = await this.#place(given);
    if (typeof place === 'string') return { notes: [], refused: place };
    const { held, catalog, lookup } = place;
    const refused = notTakenBack(held.facts);
    if (refused !== undefined) return { notes: [], refused };
    const shape = trialText(held.text);
    if (shape === undefined) return { notes: [], refused: 'it neither reads nor changes rows' };
    const tables = reachedTables(held.basis, held.facts, catalog, lookup).tables.filter(({ changed }) => changed);
    const foreign = tables.find(({ oid }) => catalog.relation(oid)?.kind === 'foreign-table');
    if (foreign !== undefined) return { notes: [], refused: `${foreign.name} is in another server` };
    const preview = await this.#within(
      'read write',
      place,
      (trial) =>
        tryOut(trial, {
          held,
          shape,
          changed: tables.map(({ oid }) => oid),
          sample: (text, answer) => this.#sample(text, answer, lookup, asker),
        }),
      over,
    );
    return { ...preview, notes: [...preview.notes, ...this.#unseen(held)] };
  }

  /** What the session has done that the trial does not see. */
  #unseen({ sessionChanged }: HeldStatement): readonly string[] {
    return [
      ...(this.session.inTransaction()
        ? ['the requester’s transaction is open: what it did before is not seen here']
        : []),
      ...(sessionChanged
        ? [
            'the requester’s session has changed settings or made objects of its own: beyond search_path they are not seen here',
          ]
        : []),
    ];
  }

  #sample(
    text: string,
    { description, rows }: Pick<OwnAnswer, 'description' | 'rows'>,
    lookup: NameLookup,
    asker: PreviewAsker,
  ): ReturnType<typeof maskedSample> {
    const { judge, host } = this.session;
    if (description === undefined) return undefined;
    // What the requester may see, and no more than the reviewer may; who reviews a flow's is not known yet.
    const reader = 'reviewer' in asker ? asker.reviewer : 'anyone';
    const people = [judge.ownMasks(text, lookup), judge.ownMasks(text, lookup, reader)];
    return maskedSample(people, { description, rows }, (cell) => host.withoutSecrets(cell));
  }

  /** Where it would run; a string says why that can't be told. */
  async #place(given: HeldStatement): Promise<Place | string> {
    const { session } = this;
    const catalog = await session.catalog.current();
    const lookup = session.lookup(catalog);
    if (lookup?.searchPath === undefined) return 'nobody can tell where the session looks names up';
    if ((session.judge.masks().columns?.reversible(given.text).length ?? 0) > 0)
      return 'its values are pseudonyms, which are turned back only where it runs';
    if (isInOtherLetters(given, session.own.settings ?? [])) return 'its values are in an encoding of their own';
    return { held: completeHeld(given, catalog, lookup), catalog, lookup };
  }

  /**
   * In a transaction that is never committed: the connection ends with it.
   *
   * @param over ends it at once, whatever runs in it: the statement itself must not wait for its locks
   */
  async #within<T>(
    mode: 'read only' | 'read write',
    { catalog, lookup }: Place,
    work: (trial: TrialSession) => Promise<T>,
    over?: AbortSignal,
  ): Promise<T> {
    const { connection, own } = this.session;
    const session = await withFreshPassword(own);
    const opened = await OwnConnection.open(await dialUpstream(connection), session, TRIAL_TIMEOUT_MS);
    const stop = (): void => {
      const { serverKey } = opened;
      opened.close();
      // Where it can't be cancelled, the statement timeout of the trial ends it.
      if (serverKey !== undefined) void cancelUpstream(connection, serverKey, () => true).catch(() => undefined);
    };
    try {
      over?.throwIfAborted();
      over?.addEventListener('abort', stop);
      const trial = new TrialSession(opened);
      await trial.begin(mode, catalog, lookup);
      const result = await work(trial);
      await trial.query('rollback');
      return result;
    } finally {
      over?.removeEventListener('abort', stop);
      opened.close();
    }
  }
}

/** A trial that someone asks for. */
interface AskedTrial {
  readonly held: HeldStatement;
  readonly asker: PreviewAsker;
  /** People have decided, or nobody waits any more. */
  readonly over: AbortSignal;
}

function askerName(asker: PreviewAsker): Pick<ApprovalPreviewed, 'by' | 'flow'> {
  if ('flow' in asker) return asker;
  const { email, subject } = asker.reviewer;
  return { by: email === '' ? subject : email };
}

/** Is bound text in other letters than the agent's connection speaks? */
function isInOtherLetters({ values, formats }: HeldStatement, settings: NonNullable<OwnSession['settings']>): boolean {
  const encoding = settings.find(([name]) => name.toLowerCase() === 'client_encoding')?.[1] ?? 'UTF8';
  const texts = values.filter((_, index) => formatAt(formats, index) === 0);
  const letters = texts.filter((value) => value?.some((byte) => byte >= 0x80) === true);
  return letters.length > 0 && !/^'?utf-?8'?$/i.test(encoding);
}

function reasonOf(error: unknown): string {
  const why = error instanceof HoopError ? error.why : undefined;
  return why === undefined ? messageOf(error) : `${messageOf(error)}: ${why}`;
}
