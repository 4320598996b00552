import { DigestingOutput, type OutputDigest, type RecordBounds } from '../../../core/output-digest.js';
import { sha256 } from '../../sessions/record-bounds.js';

const decoder = new TextDecoder('utf-8');

/** Keeps the beginning of a masked body for the record, and counts all of it. */
export class BodyCapture {
  readonly #parts: Uint8Array[] = [];
  #kept = 0;
  #bytes = 0;
  #digest: DigestingOutput | undefined;

  constructor(private readonly bounds: Pick<RecordBounds, 'bytes' | 'hashBytes'>) {}

  take(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    const room = this.bounds.bytes - this.#kept;
    if (bytes.length > room) this.#digest ??= this.#digestOfKept();
    this.#digest?.take(bytes);
    if (room <= 0 || bytes.length === 0) return;
    // A copy: a part of a large buffer would hold all of it.
    const part = bytes.length > room ? bytes.slice(0, room) : bytes.slice();
    this.#parts.push(part);
    this.#kept += part.length;
  }

  /** Bytes seen. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of all of it, where not all is kept; called once. */
  digest(): OutputDigest | undefined {
    return this.#digest?.digest();
  }

  /** What was kept, as text; a character that the cut went through is left out. */
  text(): string {
    const cut = this.#bytes > this.#kept;
    const kept = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts);
    return cut ? new TextDecoder('utf-8').decode(kept, { stream: true }) : decoder.decode(kept);
  }

  #digestOfKept(): DigestingOutput {
    const digest = new DigestingOutput(sha256, this.bounds.hashBytes);
    for (const part of this.#parts) digest.take(part);
    return digest;
  }
}
