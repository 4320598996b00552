import { concatBytes } from '../../core/bytes.js';
import type { MaskCounts } from '../../core/mask.js';
import { JsonStream } from './json-stream.js';
import { Restorer } from './restorer.js';
import { streamPlanOf } from './stream-plan.js';
import type { TextMaskerOptions } from '../text-masker.js';
import { TextStream } from './text-stream.js';
import type { StreamSink } from './text-stream.js';

/** What stands in a request in the place of a value, and that value: the answer may hold it again. */
export type Originals = ReadonlyMap<string, string>;

/**
 * One text that arrives in parts. Whatever the cuts, all that `push` and `end` give together is what masking the
 * whole text at once gives; held back is only what may still become part of a finding.
 */
export interface MaskedStream {
  /** @returns what may go out now, UTF-8; nothing of it is reused later */
  push(part: Uint8Array): Uint8Array;
  /** The text is over: the rest. Nothing may be pushed after it. */
  end(): Uint8Array;
  /** It was to be JSON and is none: from there on it is masked as text, whose escapes are not undone. */
  readonly broken?: boolean;
}

/** Masks texts that arrive in parts. One for each set of rules; its streams are independent of each other. */
export interface StreamMasker {
  /** Plain text. The strategy `null` leaves `[ENTITY]`: what went out before can't be taken back. */
  text(counts: MaskCounts, originals?: Originals): MaskedStream;
  /** One JSON text: strings are decoded before they are looked at, and it stays valid JSON. What is no JSON is masked as text from there on. */
  json(counts: MaskCounts, originals?: Originals): MaskedStream;
}

/** @throws HoopError `config_invalid` as `createTextMasker` */
export function createStreamMasker(options: TextMaskerOptions): StreamMasker {
  const plan = streamPlanOf(options);
  return {
    text(counts, originals) {
      const out = new PartSink();
      const text = new TextStream(plan, counts, out, restorerOf(originals));
      return {
        push(part) {
          text.push(part);
          return out.take();
        },
        end() {
          text.end();
          return out.take();
        },
      };
    },
    json: (counts, originals) => new JsonStream(plan, counts, restorerOf(originals)),
  };
}

/** One answer has many streams with the same originals. */
const restorers = new WeakMap<Originals, Restorer>();

function restorerOf(originals: Originals | undefined): Restorer | undefined {
  if (originals === undefined || originals.size === 0) return undefined;
  const known = restorers.get(originals);
  // A map that has grown since is another one.
  if (known?.size === originals.size) return known;
  const restorer = new Restorer(originals);
  restorers.set(originals, restorer);
  return restorer;
}

/** Collects what goes out with one push. */
class PartSink implements StreamSink {
  #parts: Uint8Array[] = [];

  kept(bytes: Uint8Array, from: number, to: number): void {
    this.#parts.push(bytes.slice(from, to));
  }

  masked(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  restored(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  take(): Uint8Array {
    if (this.#parts.length === 0) return new Uint8Array();
    const part = concatBytes(this.#parts);
    this.#parts = [];
    return part;
  }
}
