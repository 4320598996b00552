import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Approvals, createApprovals } from '../approvals/approvals.js';
import type { AgentResource } from '../core/resources.js';
import { loadGrammar } from '../protocols/postgres/facts/analyze.js';
import type { RecoveryReport } from '../recording/folder/recover.js';
import { openRecordings, type Recordings } from '../recording/recordings.js';
import { loadMasterKey } from '../secrets/master-key.js';
import { createSecretResolver, type SecretResolver } from '../secrets/resolver.js';
import type { Sinks } from '../sinks/sinks.js';
import { openStore, type Store } from '../store/store.js';
import { idMaker } from './id-maker.js';
import { recordingKey } from './resources/kept-keys.js';
import { LiveResources } from './resources/live-resources.js';
import type { AgentLog } from './log.js';
import type { Parts } from './parts.js';
import { NoticeBoard } from './notices.js';
import { openArchive } from './keeping/open-archive.js';
import { endPermissionsOf } from './keeping/put-back-store.js';
import { warnOfMissing } from './credentials/missing-secrets.js';
import { openSecrets, secretSources } from './credentials/open-secrets.js';
import { serve, type RunningAgent } from './serve.js';
import { deliveryHost, openSinks } from './news/open-sinks.js';
import { systemClock } from './system-clock.js';
import { openTracing } from './tracing/open-tracing.js';

export type { RunningAgent } from './serve.js';

/**
 * Starts the agent on a folder of resource files.
 *
 * @throws HoopError config_invalid with every fault, port_taken, recording_failed
 */
export async function startAgent(
  dir: string,
  env: Readonly<Record<string, string | undefined>>,
  log: AgentLog,
): Promise<RunningAgent> {
  const live = await LiveResources.load(dir, env);
  await loadGrammar();
  const agent = live.agent;
  const clock = systemClock();
  const sources = secretSources(env, log);
  const store = await openAgentStore(agent, createSecretResolver(sources), log);
  const newId = idMaker();
  const notices = noticeBoard(log);
  const key = recordingKey(store);
  let recordings: Recordings | undefined;
  let sinks: Sinks | undefined;
  try {
    recordings = openAgentRecordings({ agent, key, clock, store, log });
    const { sealed: recovered, unknown } = await reportRecovery(recordings, log);
    if (unknown.length > 0) endPermissionsOf(store, unknown.length, clock, log);
    const approvals = openApprovals({ live, store, clock, newId, notices });
    const secrets = openSecrets(sources, { store, live, clock, log });
    await warnOfMissing(live, secrets.resolve, log);
    sinks = await openSinks({ live, clock, secrets, log });
    const archive = openArchive({ live, store, key, clock, secrets, log });
    const tracing = openTracing(agent.tracing, deliveryHost({ clock, secrets, log }));
    return await serve({
      live,
      store,
      recordings,
      recovered,
      approvals,
      key,
      clock,
      secrets,
      sinks,
      archive,
      newId,
      log,
      notices,
      tracing,
    });
  } catch (error) {
    await sinks?.close(0);
    await recordings?.close();
    store.close();
    throw error;
  }
}

function openAgentRecordings({
  agent,
  key,
  clock,
  store,
  log,
}: { readonly agent: AgentResource } & Pick<Parts, 'key' | 'clock' | 'store' | 'log'>): Recordings {
  return openRecordings({
    dir: agent.recordings.dir,
    durability: agent.recordings.durability,
    key,
    clock,
    index: store.recordingIndex,
    onFault: ({ message, session }) => {
      log.error(message, session === undefined ? {} : { session });
    },
  });
}

function openApprovals({
  live,
  store,
  clock,
  newId,
  notices,
}: Pick<Parts, 'live' | 'store' | 'clock' | 'newId' | 'notices'>): Approvals {
  return createApprovals({
    store: store.requests,
    grants: store.grants,
    flow: (name) => live.current.approvalFlows.find((flow) => flow.name === name),
    clock,
    newId,
    setTimer: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
    clearTimer: clearTimeout,
    onEvent: (event) => {
      notices.tell({ kind: 'approval', ...event });
    },
  });
}

function noticeBoard(log: AgentLog): NoticeBoard {
  const notices = new NoticeBoard((error) => {
    log.failure('a notice could not be delivered', error);
  });
  notices.listen(({ type, request }) => {
    log.info(`approval ${type}`, { request: request.id, connection: request.connection, state: request.state });
  });
  return notices;
}

async function openAgentStore(agent: AgentResource, resolve: SecretResolver, log: AgentLog): Promise<Store> {
  const masterKey = await loadMasterKey(resolve, agent.masterKey);
  await mkdir(dirname(agent.store.path), { recursive: true, mode: 0o700 });
  return openStore({
    path: agent.store.path,
    masterKey,
    onUpgraded: ({ from, to, backup }) => {
      log.info(`the store was brought from version ${String(from)} to ${String(to)}; before it was copied`, { backup });
    },
    onFault: () => {
      log.error('the store could not be written; it is tried again');
    },
  });
}

async function reportRecovery(recordings: Recordings, log: AgentLog): Promise<RecoveryReport> {
  const report = await recordings.recover();
  if (report.sealed.length > 0) log.warn(`sealed ${String(report.sealed.length)} sessions that a crash left open`);
  for (const broken of report.broken)
    log.error(`recording does not hold: ${broken.message}`, { file: broken.file, kind: broken.kind });
  return report;
}
