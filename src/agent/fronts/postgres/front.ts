import { recordBounds, sha256 } from '../../sessions/record-bounds.js';
import { HoopError, messageOf } from '../../../core/errors.js';
import { databaseFor } from '../../../connections/database.js';
import { asksReplication } from '../../../protocols/postgres/facts/replication.js';
import type { FailureBudgets } from '../../../protocols/postgres/lineage/failure-budget.js';
import { SQLSTATE } from '../../../protocols/postgres/refusal.js';
import { ReplicationSession } from '../../../protocols/postgres/replication/replication-session.js';
import { PostgresSession } from '../../../protocols/postgres/session.js';
import type { PostgresSessionOptions } from '../../../protocols/postgres/opening/session-options.js';
import type { CancelKey, StartupMessage } from '../../../protocols/postgres/opening/startup.js';
import type { WireSession } from '../../../protocols/postgres/wire-session.js';
import type { TunnelStream } from '../../../tunnel/stream.js';
import { Drive } from '../../drive/drive.js';
import { openHold } from '../../holds/open-hold.js';
import { storedSecretsOf } from '../../../secrets/credential-secrets.js';
import { SECRET_REVOKED } from '../../credentials/secret-uses.js';
import type { SessionTrace } from '../../tracing/session-trace.js';
import type { RecordingPlace } from '../../../recording/writing/recording-place.js';
import type { PostgresCaller, SessionHost, SessionRecorder } from '../../sessions/session-host.js';
import { sessionStart } from '../../sessions/session-start.js';
import { socketPipe } from '../socket-pipe.js';
import { authenticationCrypto } from './authentication-crypto.js';
import type { CancelRegistry } from './cancel-registry.js';
import { cancelUpstream } from './cancel-upstream.js';
import type { CatalogKeepers } from './catalog-keepers.js';
import { dialAndRecord } from './dial-and-record.js';
import type { OwnSession } from './own-query.js';
import { SessionCatalog } from './session-catalog.js';
import { HeldTrials } from './held-trials.js';
import { SessionJudge, type JudgedSession } from './session-judge.js';
import { studiedReader, type StudiedReader } from './studied-reader.js';
import type { TextStudy } from './text-study.js';

/** A server that has not opened the session by then will not. */
const OPENING_TIMEOUT_MS = 10_000;

/** What the agent's Postgres sessions share. */
export interface SharedByPostgres {
  readonly cancels: CancelRegistry;
  readonly catalogs: CatalogKeepers;
  readonly failures: FailureBudgets;
  readonly study: TextStudy;
}

/** One session: puts together what the pure session, the drive and the agent's rooms need of each other. */
export class PostgresFront {
  readonly #id: string;
  readonly #judge: SessionJudge;
  readonly #reader: StudiedReader;
  #catalog: SessionCatalog | undefined;
  #database = '';
  #application = '';
  #secretRevoked = false;
  #drive: Drive | undefined;
  #session: WireSession | undefined;
  #openingTimer: NodeJS.Timeout | undefined;
  readonly #trace: SessionTrace | undefined;

  constructor(
    private readonly stream: TunnelStream,
    private readonly caller: PostgresCaller,
    private readonly host: SessionHost,
    private readonly shared: SharedByPostgres,
  ) {
    this.#reader = studiedReader(shared.study);
    this.#id = host.newId();
    const { name, type, labels } = caller.connection;
    const context = {
      user: caller.identity,
      connection: { name, type, labels },
      session: {
        id: this.#id,
        correlationId: caller.correlationId,
        startedAt: host.clock.timestamp(),
        clientAddress: caller.address,
      },
    };
    this.#trace = host.trace({
      session: this.#id,
      connection: context.connection,
      parent: caller.trace,
      arrivedMs: host.monotonicMs(),
      masks: () => this.#masks(),
    });
    const judged: JudgedSession = {
      catalog: () => this.#catalog,
      outline: (text) => this.#reader.outline(text),
      lookup: (catalog) => {
        const settled = this.#session?.lookup(catalog);
        return settled && (this.#catalog?.lookup(settled) ?? settled);
      },
    };
    const { issuer, subject } = caller.identity;
    this.#judge = new SessionJudge(host, context, judged, shared.failures.of(JSON.stringify([issuer, subject, name])));
  }

  async start(startup: StartupMessage, rest: Uint8Array): Promise<void> {
    const leaveSlot = this.host.slots.take(this.host.limits().sessions);
    // From before the secret is read: one that is revoked meanwhile must not begin a session either.
    const letGo = this.host.secretUses.hold(storedSecretsOf(this.caller.credential), () => {
      this.#secretRevoked = true;
      this.#endIfRevoked();
    });
    const release = (): void => {
      leaveSlot();
      letGo();
    };
    try {
      await this.#start(startup, rest, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async #start(startup: StartupMessage, rest: Uint8Array, release: () => void): Promise<void> {
    const { caller, host } = this;
    host.access.require(caller);
    // A physical replication session is of no database; its programs name `replication` all the same.
    const physical = asksReplication(startup.replication) && startup.replication !== 'database';
    const chosen = databaseFor(caller.connection, physical ? undefined : startup.database, startup.user);
    if ('fault' in chosen) throw new HoopError('not_found', chosen.fault.message);
    const credential = { user: caller.credential.username, password: await this.#password() };
    this.#database = chosen.database;
    const own = { credential, database: chosen.database, freshPassword: () => this.#password() };
    this.#catalog = new SessionCatalog(this.shared.catalogs, caller.connection, own, () => this.#session);
    if (this.#judge.wantsCatalog()) this.#catalog.ahead();
    const placing = host.placeRecording(this.#id);
    const record = (place: RecordingPlace): SessionRecorder => this.#openRecording(startup, place);
    const { upstream, recorder } = await dialAndRecord(caller.connection, placing, record);
    const cancelKey = this.shared.cancels.issue({
      owner: caller.identity,
      cancel: () => this.#drive?.cancel(),
    });
    const session = this.#newSession(startup, chosen.database, credential, cancelKey);
    const trials = this.#heldTrials(own, startup, this.#catalog, recorder);
    this.#drive = this.#openDrive(session, { recorder, trials }, cancelKey, release);
    this.#drive.attach(socketPipe(upstream));
    upstream.resume();
    caller.tell({ event: 'session.opened', session: this.#id, connection: caller.connection.name });
    this.#drive.start(session.start(rest));
    this.#trace?.accepted();
    this.#endIfRevoked();
    this.#limitOpening(session, this.#drive);
    this.stream.resume();
  }

  #masks(): boolean {
    const { answers, columns } = this.#judge.masks();
    return answers !== undefined || columns !== undefined;
  }

  #endIfRevoked(): void {
    if (this.#secretRevoked) this.#drive?.terminate('secret-revoked', SQLSTATE.adminShutdown, SECRET_REVOKED);
  }

  /** As it is now: it may be rotated while the session lives. */
  async #password(): Promise<string | undefined> {
    const { password } = this.caller.credential;
    return password === undefined ? undefined : (await this.host.resolveSecret(password)).reveal();
  }

  #newSession(
    startup: StartupMessage,
    database: string,
    credential: { readonly user: string; readonly password: string | undefined },
    cancelKey: CancelKey,
  ): WireSession {
    const options: PostgresSessionOptions = {
      startup,
      database,
      credential,
      cancelKey,
      crypto: authenticationCrypto,
      limits: this.host.limits(),
      sql: this.#reader.sql,
      readsSql: () => this.#judge.readsSql(),
      readsParams: () => this.#judge.readsParams(),
      masks: () => this.#judge.masks(),
      idle: () => {
        this.#catalog?.idle();
      },
      bounds: { ...recordBounds(this.caller.connection), newHash: sha256 },
      nowMs: () => this.host.monotonicMs(),
    };
    const allowed = this.caller.connection.replication === true;
    this.#session = asksReplication(startup.replication)
      ? new ReplicationSession({ ...options, allowed })
      : new PostgresSession(options);
    return this.#session;
  }

  #limitOpening(session: WireSession, drive: Drive): void {
    this.#openingTimer = setInterval(() => {
      // While people decide whether it may start, the server was not even asked.
      if (session.deciding) return;
      clearInterval(this.#openingTimer);
      if (session.opening)
        drive.terminate(
          'upstream',
          SQLSTATE.connectionFailure,
          `hoop: the database server did not open the session within ${String(OPENING_TIMEOUT_MS / 1000)} s`,
        );
    }, OPENING_TIMEOUT_MS);
    this.#openingTimer.unref();
  }

  #heldTrials(
    own: OwnSession,
    startup: StartupMessage,
    catalog: SessionCatalog,
    recorder: SessionRecorder,
  ): HeldTrials {
    return new HeldTrials({
      host: this.host,
      connection: this.caller.connection,
      own: { ...own, settings: startup.settings, application: 'hoop preview' },
      judge: this.#judge,
      catalog,
      lookup: (known) => {
        const settled = this.#session?.lookup(known);
        return settled && catalog.lookup(settled);
      },
      inTransaction: () => this.#session?.inTransaction === true,
      record: async (event) => {
        recorder.record(event);
        await recorder.flush();
      },
    });
  }

  #openDrive(
    session: WireSession,
    { recorder, trials }: { readonly recorder: SessionRecorder; readonly trials: HeldTrials },
    cancelKey: CancelKey,
    release: () => void,
  ): Drive {
    const { host, caller } = this;
    const holding = { host, caller, session: this.#id, place: this.#database, application: this.#application };
    const drive: Drive = new Drive(session, this.stream, {
      judge: (question) => this.#judge.judge(question),
      study: (text) => this.#reader.study(text),
      hold: (question, verdict) => trials.following(openHold(holding, question, verdict), question),
      record: (event) => {
        recorder.record(event);
      },
      flush: () => recorder.flush(),
      seal: (end) => recorder.seal(end),
      tell: (event) => {
        caller.tell({ session: this.#id, connection: caller.connection.name, ...event });
      },
      monotonicMs: () => host.monotonicMs(),
      trace: this.#trace,
      maxHeldBytes: host.limits().sessionBytes,
      cancelUpstream: () => this.#cancelUpstream(),
      closed: () => {
        this.shared.cancels.release(cancelKey);
        clearInterval(this.#openingTimer);
        host.drives.delete(drive);
        unwatch();
        release();
        caller.tell({ event: 'session.closed', session: this.#id, connection: caller.connection.name });
      },
      log: (message) => {
        host.log(message, { session: this.#id, connection: caller.connection.name });
      },
    });
    host.drives.add(drive);
    const unwatch = host.access.watch(caller, drive);
    return drive;
  }

  #openRecording(startup: StartupMessage, place: RecordingPlace): SessionRecorder {
    this.#application = startup.settings.find(([name]) => name === 'application_name')?.[1] ?? '';
    const started = { application: this.#application, database: this.#database };
    const recorder = this.host.openRecording(sessionStart(this.host, this.caller, this.#id, started), place);
    return this.#trace?.around(recorder) ?? recorder;
  }

  async #cancelUpstream(): Promise<void> {
    const session = this.#session;
    if (session?.serverKey === undefined) return;
    try {
      await cancelUpstream(this.caller.connection, session.serverKey, () => session.busy);
    } catch (error) {
      this.host.log(`cancel not sent: ${messageOf(error)}`, { session: this.#id });
    }
  }
}
