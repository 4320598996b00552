import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { HoopError } from '../../core/errors.js';
import type { RecordingIndex } from '../../core/recording-index.js';
import { ChainChecker } from '../proof/chain-checker.js';
import type { Break } from '../proof/chain-checker.js';
import { CHECKPOINT_DRAFT, ROOT_FOLDER } from './checkpoint.js';
import type { CheckpointKeeper } from './checkpoint-keeper.js';
import { publicKeyOf, SignatureChecker } from '../keys.js';
import type { RecordingKey } from '../keys.js';
import { splitLines } from '../reading/lines.js';
import { readRecording } from '../reading/read.js';
import { ChainRecorder } from '../writing/recorder.js';
import type { RecorderOptions } from '../writing/recorder.js';
import { RecordingFile } from '../writing/recording-file.js';
import { COMPRESSED_DRAFT } from './compression.js';
import { sessionOfFile } from './day-files.js';
import { coveredBy, readTombstone, TOMBSTONE_DRAFT } from './tombstone.js';
import { SessionTally } from '../writing/session-tally.js';

export interface RecoveryReport {
  /** Sessions left open by a crash, now ended as `crash` and sealed. */
  readonly sealed: readonly string[];
  /** Files that held no whole event: nothing of their sessions had been forwarded; removed. */
  readonly removed: readonly string[];
  /** Sessions that a checkpoint lists and the index knew nothing of: the index is older than the recordings. Told anew. */
  readonly unknown: readonly string[];
  /** What does not hold; left as it is. `file` is a path below the recordings folder. */
  readonly broken: readonly {
    readonly file: string;
    readonly kind: Break['kind'] | 'unreadable';
    readonly message: string;
  }[];
}

interface RecoverOptions {
  readonly dir: string;
  readonly key: RecordingKey;
  readonly index: RecordingIndex;
  readonly keeper: CheckpointKeeper;
  readonly isLive: (session: string) => boolean;
  readonly recorderOptions: (openFile: () => RecordingFile, date: string) => RecorderOptions;
}

/** Written and removed to see whether the folder is writable. */
export const PROBE = '.probe';

/** So many of the latest in a row that the index knows: it knows those before, too. */
const MAX_KNOWN = 100;

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Closes what a crash left open: cuts the torn tail, ends the session as `crash`, seals it. Looks
 * only at files that no checkpoint lists, so that a start does not read years of recordings.
 *
 * A file whose chain breaks before its tail was changed by someone: it is not sealed, for a seal
 * would say that it is whole. It is reported at every start and fails every verification.
 */
export async function recoverRecordings(options: RecoverOptions): Promise<RecoveryReport> {
  const report: OpenReport = { sealed: [], removed: [], unknown: [], broken: [] };
  const { dir, keeper } = options;
  for (const name of [CHECKPOINT_DRAFT, PROBE]) await rm(join(dir, name), { force: true });
  const root = await keeper.load(ROOT_FOLDER);
  if (root.broken !== undefined) report.broken.push({ file: ROOT_FOLDER, kind: 'checkpoint', message: root.broken });
  const entries = await readdir(dir, { withFileTypes: true });
  const dates = entries.filter((entry) => entry.isDirectory() && DATE.test(entry.name)).map((entry) => entry.name);
  for (const date of keeper.dates()) {
    if (!dates.includes(date))
      report.broken.push({ file: date, kind: 'missing', message: 'the folder of a day is gone' });
  }
  for (const date of dates.sort()) await recoverDay(options, date, report);
  return report;
}

type OpenReport = {
  sealed: string[];
  removed: string[];
  unknown: string[];
  broken: RecoveryReport['broken'][number][];
};

async function recoverDay(options: RecoverOptions, date: string, report: OpenReport): Promise<void> {
  const folder = join(options.dir, date);
  for (const name of [CHECKPOINT_DRAFT, TOMBSTONE_DRAFT, COMPRESSED_DRAFT])
    await rm(join(folder, name), { force: true });
  const { sessions, broken } = await options.keeper.load(date);
  if (broken !== undefined) report.broken.push({ file: date, kind: 'checkpoint', message: broken });
  const present = new Set<string>();
  for (const name of await readdir(folder)) {
    const file = sessionOfFile(name);
    if (file === undefined) continue;
    const { session } = file;
    present.add(session);
    if (sessions.has(session) || options.isLive(session)) continue;
    if (file.compressed) {
      report.broken.push({
        file: `${date}/${name}`,
        kind: 'unlisted',
        message: 'a compressed recording that nobody lists',
      });
      continue;
    }
    try {
      await recoverFile(options, { date, session, path: join(folder, name) }, report);
    } catch (error) {
      const message = error instanceof HoopError ? error.message : 'the recording can not be read';
      report.broken.push({ file: `${date}/${name}`, kind: 'unreadable', message });
    }
  }
  await tellUnknown(options, date, [...sessions.keys()], report);
  const buried = await readTombstone(folder, date, new SignatureChecker([publicKeyOf(options.key)]));
  if (!buried.ok) report.broken.push({ file: `${date}/tombstone`, kind: buried.kind, message: buried.message });
  const tombstone = buried.ok ? buried.tombstone : undefined;
  const listed = [...sessions.keys()].filter((session) => !coveredBy(tombstone, session));
  reportMissing(date, listed, present, tombstone?.removed ?? 0, options.keeper, report);
  options.keeper.forget(date);
}

/**
 * What a checkpoint lists was in the index before, so an index that does not know the latest of it was put back to an
 * earlier state, or is another one.
 *
 * @param listed in order of sealing
 */
async function tellUnknown(
  { dir, key, index }: RecoverOptions,
  date: string,
  listed: readonly string[],
  report: OpenReport,
): Promise<void> {
  let known = 0;
  for (const session of listed.toReversed()) {
    if (index.knows?.(session) !== false) {
      if ((known += 1) === MAX_KNOWN) return;
      continue;
    }
    known = 0;
    report.unknown.push(session);
    const path = join(dir, date, `${session}.ndjson`);
    // One that was compressed, or is gone, stays out of searches; it is in the report.
    const read = await readChain(key, path).catch(() => undefined);
    if (read?.checker.sealed === true && read.checker.found === undefined) tellIndex(index, read.checker, read.tally);
  }
}

function reportMissing(
  date: string,
  listed: readonly string[],
  present: ReadonlySet<string>,
  removed: number,
  keeper: CheckpointKeeper,
  report: OpenReport,
): void {
  for (const session of listed) {
    if (present.has(session)) continue;
    report.broken.push({ file: `${date}/${session}.ndjson`, kind: 'missing', message: 'a sealed recording is gone' });
  }
  if (keeper.listed(date) > listed.length + removed && keeper.listed(date) > present.size + removed) {
    report.broken.push({ file: date, kind: 'missing', message: 'sealed recordings of this day are gone' });
  }
}

interface Found {
  readonly date: string;
  readonly session: string;
  readonly path: string;
}

async function recoverFile(options: RecoverOptions, found: Found, report: OpenReport): Promise<void> {
  const { date, session, path } = found;
  const file = `${date}/${session}.ndjson`;
  const stat = await lstat(path);
  if (!stat.isFile() || stat.nlink !== 1) {
    report.broken.push({ file, kind: 'linked', message: 'the recording is a link or no regular file' });
    return;
  }
  const { checker, tally, names } = await readChain(options.key, path);
  const broken = checker.found;
  if (broken !== undefined && broken.kind !== 'truncated') {
    report.broken.push({ file, kind: broken.kind, message: broken.message });
    return;
  }
  if (checker.events === 0) {
    await rm(path);
    report.removed.push(file);
    return;
  }
  if (names.session !== session || names.date !== date) {
    report.broken.push({
      file,
      kind: 'wrong-session',
      message: 'the recording is of another session or day than its name says',
    });
    return;
  }
  options.index.sessionOpened(tally.summary());
  await close(options, found, checker, tally);
  if (!checker.sealed) report.sealed.push(session);
}

async function readChain(key: RecordingKey, path: string) {
  const checker = new ChainChecker(new SignatureChecker([publicKeyOf(key)]));
  const tally = new SessionTally();
  const names = { session: '', date: '' };
  for await (const lines of splitLines(readRecording(path))) {
    for (const line of lines) {
      const event = checker.push(line);
      if (event === undefined) continue;
      if (event.seq === 1) {
        names.date = event.at.slice(0, 10);
        const { session } = event;
        names.session = typeof session === 'string' ? session : '';
      }
      tally.observe(event, event.at);
    }
  }
  return { checker, tally, names };
}

function tellIndex(index: RecordingIndex, checker: ChainChecker, tally: SessionTally): void {
  index.sessionOpened(tally.summary());
  index.statementsSeen(tally.takeRows());
  index.termsSeen?.(tally.takeTerms());
  index.sessionSealed(tally.summary({ head: checker.head, events: checker.events }));
}

/** Ends and seals what is open; of what is sealed already, tells index and checkpoint. */
async function close(options: RecoverOptions, found: Found, checker: ChainChecker, tally: SessionTally): Promise<void> {
  if (checker.sealed) {
    tellIndex(options.index, checker, tally);
    options.keeper.sealed(found.date, found.session, { head: checker.head, events: checker.events });
    return;
  }
  const openFile = (): RecordingFile => RecordingFile.resume(found.path, checker.endOffset);
  const recorder = new ChainRecorder(found.session, options.recorderOptions(openFile, found.date), tally, {
    seq: checker.events,
    head: checker.head,
  });
  await recorder.seal({ type: 'session.end', reason: 'crash', statements: tally.statements, blocked: tally.blocked });
}
