import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../../core/canonical-json.js';
import { HoopError } from '../../core/errors.js';
import type { SessionSummary } from '../../core/session-summary.js';
import { pemOf, publicKeyOf, signBytes } from '../../recording/keys.js';
import { readEvents, readRecording, recordingPath } from '../../recording/reading/read.js';
import { TAR_END, tarHeader, tarPadding } from '../../recording/proof/tar.js';
import type { Parts } from '../parts.js';
import { VERSION } from '../version.js';
import { datesOf, signedLists } from './bundle-days.js';
import type { AuditSpan } from './bundle-days.js';
import { bundleReadme } from './bundle-readme.js';

interface BundleRequest {
  readonly span: AuditSpan;
  /** Who exports. */
  readonly by: string;
  /** These are about to be read. */
  readonly reads: (sessions: readonly string[]) => void;
}

/** Sessions of one page of the index. */
const PAGE = 500;

/**
 * The evidence of a span of time as a tar archive: see `bundleReadme` for what is in it. Files that say how much there
 * is come behind what they count; the signed list of all hashes is the last.
 */
export async function* evidenceBundle(parts: Parts, request: BundleRequest): AsyncGenerator<Uint8Array> {
  const scratch = await mkdtemp(join(dirname(parts.live.agent.store.path), 'export-'));
  try {
    const decisions = await open(join(scratch, 'decisions'), 'wx+', 0o600);
    try {
      yield* new Bundle(parts, request, decisions).files();
    } finally {
      await decisions.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

class Bundle {
  /** Lines of `SHA256SUMS`. */
  readonly #sums: string[] = [];
  readonly #createdAt: string;
  readonly #createdMs: number;
  readonly #live: string[] = [];
  readonly #gone: string[] = [];
  readonly #policies = new Set<string>();
  #sessions = 0;
  #recordings = 0;
  #decisions = 0;

  constructor(
    private readonly parts: Parts,
    private readonly request: BundleRequest,
    /** Decisions on their way, a line each. */
    private readonly decisions: FileHandle,
  ) {
    this.#createdAt = parts.clock.timestamp();
    this.#createdMs = parts.clock.nowMs();
  }

  async *files(): AsyncGenerator<Uint8Array> {
    const { keyId } = this.parts.key;
    const { span } = this.request;
    yield* this.#text('README.txt', bundleReadme({ ...span, createdAt: this.#createdAt, keyId }));
    yield* this.#text(`keys/${keyId}.pem`, pemOf(publicKeyOf(this.parts.key)));
    const index: string[] = [];
    for (const sessions of this.#pages()) {
      this.request.reads(sessions.map(({ id }) => id));
      for (const session of sessions) {
        index.push(`${canonicalJson(session)}\n`);
        yield* this.#recording(session);
      }
    }
    // Behind the recordings: what was sealed meanwhile is listed by now.
    await this.parts.recordings.checkpointed();
    yield* this.#lists();
    yield* this.#text('sessions.ndjson', index.join(''));
    yield* this.#file(
      'decisions.ndjson',
      this.#decisions,
      this.decisions.createReadStream({ start: 0, autoClose: false }),
    );
    yield* this.#text('approvals.ndjson', this.#approvals());
    yield* this.#text('readings.ndjson', this.#readings());
    const unkept: string[] = [];
    for (const hash of [...this.#policies].sort()) {
      const kept = this.parts.store.audit.policies(hash);
      if (kept === undefined) unkept.push(hash);
      else yield* this.#text(`policies/${hash}.json`, kept.source);
    }
    yield* this.#text('bundle.json', `${JSON.stringify(this.#about(unkept), null, 2)}\n`);
    const sums = Buffer.from(this.#sums.join(''));
    yield* this.#bytes('SHA256SUMS', sums);
    yield* this.#bytes('SHA256SUMS.sig', signBytes(this.parts.key, sums));
    yield TAR_END;
  }

  #about(unkept: readonly string[]): unknown {
    return {
      format: 'hoop-evidence/1',
      ...this.request.span,
      createdAt: this.#createdAt,
      createdBy: this.request.by,
      hoop: VERSION,
      keyId: this.parts.key.keyId,
      sessions: this.#sessions,
      recordings: this.#recordings,
      live: this.#live,
      gone: this.#gone,
      policiesNotKept: unkept,
    };
  }

  /** The sessions of the span, page by page, newest first. */
  *#pages(): Generator<readonly SessionSummary[]> {
    const { from, to } = this.request.span;
    let cursor = '';
    do {
      const page = this.parts.store.sessions.list({ since: from, until: to, limit: PAGE, cursor });
      this.#sessions += page.items.length;
      yield page.items;
      cursor = page.next;
    } while (cursor !== '');
  }

  async *#recording(session: SessionSummary): AsyncGenerator<Uint8Array> {
    if (session.head === '') {
      this.#live.push(session.id);
      return;
    }
    const path = recordingPath(this.parts.live.agent.recordings.dir, session.file);
    let size: number;
    try {
      size = await this.#gather(session.id, path);
    } catch (error) {
      if (!(error instanceof HoopError) || error.code !== 'not_found') throw error;
      this.#gone.push(session.id);
      return;
    }
    this.#recordings += 1;
    yield* this.#file(`recordings/${session.file}`, size, readRecording(path));
  }

  /** Takes decisions and policies out of a recording. @returns its size in bytes */
  async #gather(session: string, path: string): Promise<number> {
    let size = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of readRecording(path)) {
        size += chunk.length;
        yield chunk;
      }
    };
    const lines: string[] = [];
    const texts = new Map<unknown, unknown>();
    try {
      for await (const event of readEvents(counted())) {
        if (event.type === 'statement' || event.type === 'request') texts.set(event['statement'], event['text']);
        if (event.type !== 'decision') continue;
        const { at, statement, action, rules, message, policyHash } = event as Readonly<Record<string, unknown>>;
        if (typeof policyHash === 'string' && policyHash !== '') this.#policies.add(policyHash);
        const text = texts.get(statement) ?? '';
        texts.delete(statement);
        lines.push(`${JSON.stringify({ session, at, statement, action, rules, message, policyHash, text })}\n`);
      }
    } catch (error) {
      if (!(error instanceof HoopError) || error.code !== 'verify_failed') throw error;
      // What does not hold is exported as it is: verification will name it.
      for await (const chunk of readRecording(path)) size += chunk.length;
    }
    const bytes = Buffer.from(lines.join(''));
    await this.decisions.write(bytes);
    this.#decisions += bytes.length;
    return size;
  }

  async *#lists(): AsyncGenerator<Uint8Array> {
    const { dir } = this.parts.live.agent.recordings;
    const { from, to } = this.request.span;
    for (const { name, bytes } of await signedLists(dir)) yield* this.#bytes(`recordings/${name}`, bytes);
    for (const date of datesOf(Date.parse(from), Date.parse(to))) {
      if (!existsSync(join(dir, date))) continue;
      for (const { name, bytes } of await signedLists(join(dir, date)))
        yield* this.#bytes(`recordings/${date}/${name}`, bytes);
    }
  }

  #approvals(): string {
    const { from, to } = this.request.span;
    const { store } = this.parts;
    return store.audit
      .requestIds(from, to)
      .flatMap((id) => store.requests.get(id) ?? [])
      .map(({ bindHash: _bound, ...request }) => `${canonicalJson(request)}\n`)
      .join('');
  }

  /** Those of the span, and of this export itself. */
  #readings(): string {
    const { from } = this.request.span;
    const lines: string[] = [];
    let cursor: string | undefined;
    do {
      const page = this.parts.store.audit.readings({
        since: from,
        limit: 1000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const reading of page.items) lines.push(`${canonicalJson(reading)}\n`);
      cursor = page.next === '' ? undefined : page.next;
    } while (cursor !== undefined);
    return lines.join('');
  }

  #text(name: string, text: string): AsyncGenerator<Uint8Array> {
    return this.#bytes(name, Buffer.from(text));
  }

  async *#bytes(name: string, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield* this.#file(name, bytes.length, [bytes]);
  }

  /** One file of the archive. Content that is no longer `size` bytes ends the export: it would be no archive. */
  async *#file(
    name: string,
    size: number,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    yield tarHeader(name, size, this.#createdMs);
    const hash = createHash('sha256');
    let written = 0;
    for await (const chunk of content) {
      hash.update(chunk);
      written += chunk.length;
      if (written > size) break;
      yield chunk;
    }
    if (written !== size) throw new HoopError('failed', 'a file changed while it was exported');
    yield tarPadding(size);
    this.#sums.push(`${hash.digest('hex')}  ${name}\n`);
  }
}
