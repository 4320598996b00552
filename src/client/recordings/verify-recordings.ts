import { lstat, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { HoopError } from '../../core/errors.js';
import type { Break } from '../../recording/proof/chain-checker.js';
import type { RecordingPublicKey } from '../../recording/keys.js';
import { unpackBundle } from '../../recording/proof/bundle.js';
import { readRecording } from '../../recording/reading/read.js';
import { verifyBundle } from '../../recording/proof/verify-bundle.js';
import { verifyRecording } from '../../recording/proof/verify.js';
import { verifyFolder } from '../../recording/proof/verify-folder.js';
import type { CrashedSession } from '../../recording/proof/verify-folder.js';
import type { AgentApi } from '../agent-api.js';
import { agentIndex, anchorOf, recordingBytes, sessionOfName } from './recording-source.js';
import type { RecordingPlace } from './recording-source.js';
import { keysOfFile, pinKeys, pinnedKeys } from './trusted-keys.js';
import { holdsEvents, namedPlace } from './named-place.js';
import type { BundlePlace } from './named-place.js';

export interface VerifyRequest {
  /** Sessions, files and folders, as given on the command line. */
  readonly targets: readonly string[];
  /** Trusted keys from a file; the agent is then asked for recordings only, never for keys or its index. */
  readonly keyFile?: string | undefined;
  /** The agent of the profile; throws `config_missing` where none is known. */
  readonly agent: () => AgentApi;
  /** The configuration folder, for pinned keys. */
  readonly configFolder: string;
  /** Says to people what could not be compared. */
  readonly say: (text: string) => void;
}

/** One thing that does not hold. */
export interface VerifyBreak extends Break {
  /** The target itself, or a path below the folder given. */
  readonly file: string;
  readonly session: string;
}

export interface VerifyResult {
  readonly target: string;
  readonly kind: RecordingPlace['kind'] | BundlePlace['kind'];
  readonly ok: boolean;
  /** Recordings that hold. */
  readonly verified: number;
  /** Recordings that were removed when their time was over, as a signed tombstone says. */
  readonly removed?: number;
  /** Events that hold, for a session or file. */
  readonly events: number;
  readonly live: boolean;
  readonly keyId: string;
  /** Recordings that hold, of sessions that a crash of the agent ended; `file` as in breaks. */
  readonly crashes: readonly CrashedSession[];
  /** True: nobody was asked which recordings there should be. */
  readonly offline: boolean;
  /** The first is the first event that does not hold. */
  readonly breaks: readonly VerifyBreak[];
}

/** For people; times as the recording has them. */
export function crashText({ lastEventAt, sealedAt }: Pick<CrashedSession, 'lastEventAt' | 'sealedAt'>): string {
  return `the agent crashed after the event of ${lastEventAt}; its next start sealed what there was, at ${sealedAt}`;
}

interface Trust {
  readonly keys: readonly RecordingPublicKey[];
  /** The agent, when its index can be asked. */
  readonly index: AgentApi | undefined;
}

/**
 * Verifies each target in turn.
 *
 * @throws HoopError where a target can't be read or no key is known; what does not hold is a result
 */
export async function* verifyRecordings(request: VerifyRequest): AsyncGenerator<VerifyResult> {
  const places = await Promise.all(request.targets.map((target) => namedPlace(target)));
  const trust = await establishTrust(request);
  for (const [at, { place, part }] of places.entries()) {
    const target = request.targets[at] as string;
    if (part) request.say(partText(target, place as BundlePlace | (RecordingPlace & { kind: 'folder' })));
    if (place.kind === 'bundle') yield await verifyEvidence(target, place, trust);
    else if (place.kind === 'folder') yield await verifyAll(target, place.path, trust);
    else yield await verifyOne(target, place, trust, request);
  }
}

function partText(target: string, whole: BundlePlace | (RecordingPlace & { kind: 'folder' })): string {
  const what = whole.kind === 'bundle' ? 'an evidence bundle' : 'a folder of recordings';
  return `${basename(target)} is no recording but part of ${what}: verifying all of ${whole.path}`;
}

async function establishTrust(request: VerifyRequest): Promise<Trust> {
  if (request.keyFile !== undefined) return { keys: await keysOfFile(request.keyFile), index: undefined };
  const agent = keyedAgent(request);
  try {
    const keys = pinKeys(request.configFolder, agent.url, (await agent.wellKnown()).recordingKeys);
    return { keys, index: await readableIndex(agent, request) };
  } catch (error) {
    const pinned = pinnedKeys(request.configFolder, agent.url);
    if (!(error instanceof HoopError) || error.code !== 'unreachable') throw error;
    if (pinned === undefined) {
      const { code, message, why } = error;
      const suggestion = 'name the public key with --key FILE: then no agent is asked';
      throw new HoopError(code, message, { suggestion, cause: error, ...(why === undefined ? {} : { why }) });
    }
    request.say('the agent does not answer: verifying with the key that it showed before');
    return { keys: pinned, index: undefined };
  }
}

function keyedAgent(request: VerifyRequest): AgentApi {
  try {
    return request.agent();
  } catch (error) {
    if (!(error instanceof HoopError) || error.code !== 'config_missing') throw error;
    throw new HoopError('config_missing', 'no public key to verify with', {
      why: 'no agent is known, and a key found beside recordings proves nothing',
      suggestion: 'name the agent with --agent URL, or its public key with --key FILE',
    });
  }
}

/** The agent, if the caller may ask it for sessions. */
async function readableIndex(agent: AgentApi, request: VerifyRequest): Promise<AgentApi | undefined> {
  try {
    await agent.whoami();
    return agent;
  } catch (error) {
    if (!(error instanceof HoopError) || (error.code !== 'not_logged_in' && error.code !== 'token_refused'))
      throw error;
    request.say('not logged in: not compared with the agent’s index of sessions');
    return undefined;
  }
}

async function verifyAll(target: string, path: string, trust: Trust): Promise<VerifyResult> {
  const index = trust.index === undefined ? {} : { index: agentIndex(trust.index) };
  const result = await verifyFolder(path, { keys: trust.keys, ...index });
  return { target, kind: 'folder', events: 0, live: false, keyId: '', ...result };
}

/** A bundle stands for itself: neither index nor checkpoints of the agent are asked. */
async function verifyEvidence(target: string, { path, packed }: BundlePlace, { keys }: Trust): Promise<VerifyResult> {
  const folder = packed ? await mkdtemp(join(tmpdir(), 'hoop-bundle-')) : path;
  try {
    if (packed) await unpackBundle(readRecording(path), folder);
    return { target, kind: 'bundle', events: 0, live: false, offline: true, ...(await verifyBundle(folder, keys)) };
  } finally {
    if (packed) await rm(folder, { recursive: true, force: true });
  }
}

async function verifyOne(
  target: string,
  place: Exclude<RecordingPlace, { kind: 'folder' }>,
  trust: Trust,
  request: VerifyRequest,
): Promise<VerifyResult> {
  const session = place.kind === 'session' ? place.id : sessionOfName(place.path);
  const base = { target, kind: place.kind, live: false, keyId: '', offline: trust.index === undefined };
  const failed = (found: Break): VerifyResult => {
    const events = Math.max(found.seq - 1, 0);
    const { kind, seq, line, message } = found;
    return {
      ...base,
      ok: false,
      verified: 0,
      events,
      crashes: [],
      breaks: [{ kind, seq, line, message, file: target, session: session ?? '' }],
    };
  };
  if (place.kind === 'file' && !(await lstat(place.path)).isFile()) {
    return failed({ kind: 'linked', seq: 0, line: 0, message: 'the recording is a link or no regular file' });
  }
  // Asked before the file is read: a live one may only have grown since.
  const anchor = session === undefined || trust.index === undefined ? undefined : await anchorOf(trust.index, session);
  const result = await verifyRecording(recordingBytes(place, request.agent), {
    keys: trust.keys,
    ...(session === undefined ? {} : { session }),
    ...(anchor === undefined ? {} : { anchor }),
  });
  if (!result.ok) return failed((await noRecording(place, session, result)) ?? result);
  const { events, live, keyId, crash } = result;
  const crashes = crash === undefined ? [] : [{ file: target, session: result.session, ...crash }];
  return { ...base, ok: true, verified: 1, events, live, keyId, crashes, breaks: [] };
}

/** A file of another kind is not tampered with: it never was a recording, as neither its name nor any line says. */
async function noRecording(
  place: Exclude<RecordingPlace, { kind: 'folder' }>,
  session: string | undefined,
  { seq }: Break,
): Promise<Break | undefined> {
  if (place.kind !== 'file' || session !== undefined || seq !== 1 || (await holdsEvents(place.path))) return undefined;
  const message = 'no line of the file is an event: it is no recording, so nothing can be proven of it alone';
  return { kind: 'no-recording', seq: 0, line: 0, message };
}
