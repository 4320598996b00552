import type { BodyEvent, MessageTotals } from '../../../../core/events.js';
import type { OutputDigest } from '../../../../core/output-digest.js';
import { sha256 } from '../../../sessions/record-bounds.js';
import type { PassedMessage } from './upgrade-messages.js';
import type { Side } from './upgrade-relay.js';

/** Messages that the record keeps of one stream. */
const KEPT_MESSAGES = 1_000;
/** Bytes that it keeps of all of them together. */
const KEPT_BYTES = 256 * 1024;

/** What the record keeps of the messages of an upgraded stream; all of them are counted. */
export class UpgradeRecord {
  readonly #totals = { client: { messages: 0, bytes: 0 }, upstream: { messages: 0, bytes: 0 } };
  #messages = 0;
  #bytes = 0;

  /** One that is recorded as something else. */
  count(from: Side, bytes: number): void {
    const total = this.#totals[from];
    total.messages += 1;
    total.bytes += bytes;
  }

  /**
   * @param statement the request that it belongs to
   * @returns what is recorded of it; undefined where no more is kept
   */
  take(from: Side, message: PassedMessage, binary: boolean, statement: number): BodyEvent | undefined {
    const { length } = message.bytes;
    this.count(from, length);
    if (this.#messages >= KEPT_MESSAGES || this.#bytes >= KEPT_BYTES) return undefined;
    this.#messages += 1;
    const shown = binary ? undefined : message.record();
    const room = KEPT_BYTES - this.#bytes;
    const kept = shown?.subarray(0, room) ?? Buffer.alloc(0);
    this.#bytes += kept.length;
    const cut = kept.length < (shown?.length ?? 0);
    // What is binary is not masked either.
    const whole = shown ?? message.bytes;
    return {
      type: 'output',
      statement,
      from,
      // A character that the cut went through is left out.
      body: new TextDecoder('utf-8', { ignoreBOM: true }).decode(kept, { stream: cut }),
      bodyBytes: length,
      ...(kept.length < whole.length ? { digest: digestOf(whole) } : {}),
      ...(binary ? { contentType: 'application/octet-stream' } : {}),
    };
  }

  /** Of all messages, kept or not, as they went on. */
  get totals(): MessageTotals {
    return this.#totals;
  }
}

function digestOf(bytes: Uint8Array): OutputDigest {
  const hash = sha256();
  hash.update(bytes);
  return { bytes: bytes.length, sha256: hash.digest(), whole: true };
}
