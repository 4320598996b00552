/** The scanner of `assembly/` and its memory: compiled once for the process, used by one caller at a time. */
import { CLASS } from '../finding/byte-classes.js';
import { SCANNER_CODE } from './chunk-engine-code.js';
import { ISSUER_LENGTHS } from '../entities/credit-card.js';
import { LEADING, LOCAL } from '../entities/email.js';
import { COUNTRY_DIGITS, COUNTRY_LENGTH } from '../entities/iban.js';
import { ENDS_AUTHORITY } from '../entities/url-password.js';

/** Bits beside those of `CLASS`; `assembly/bytes.ts` has the same. */
const CLASS_LOCAL = 8;
const CLASS_LEADING = 16;
const CLASS_ENDS_AUTHORITY = 32;
const CLASS_STRUCTURE = 64;
/** First bytes of text that may be JSON, XML, an array, a record or escaped: how it is masked, the caller knows. */
const STRUCTURE = new Set([0x0a, 0x20, 0x22, 0x28, 0x3c, 0x5b, 0x5c, 0x7b]);

/** Numbers of `assembly/layout.ts`: addresses, and what entities, actions and kinds of cells are called there. */
export type Layout = (name: string) => number;

export interface ChunkEngine {
  readonly layout: Layout;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Who set the configuration that is in memory now. */
  owner: unknown;
  /** @returns 1 where anything changed */
  maskChunk(length: number): number;
  /** Bytes read by finders; counted only in a module that was built for it. */
  steps(): bigint;
}

let shared: ChunkEngine | undefined;

/** The one engine of this process; undefined where this machine can't run it: then TypeScript does all the work. */
export function chunkEngine(): ChunkEngine | undefined {
  if (shared !== undefined) return shared;
  const code = decodeBase64(SCANNER_CODE);
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return undefined;
  return (shared = startEngine(code));
}

/** @param code a module built from `assembly/` */
export function startEngine(code: Uint8Array): ChunkEngine {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code));
  const layout: Layout = (name) => (exports[name] as WebAssembly.Global).value;
  const { buffer } = exports['memory'] as WebAssembly.Memory;
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  for (let byte = 0; byte < 256; byte += 1) {
    bytes[layout('CLASSES') + byte] =
      (CLASS[byte] as number) |
      ((LOCAL[byte] as number) * CLASS_LOCAL) |
      ((LEADING[byte] as number) * CLASS_LEADING) |
      ((ENDS_AUTHORITY[byte] as number) * CLASS_ENDS_AUTHORITY) |
      (STRUCTURE.has(byte) ? CLASS_STRUCTURE : 0);
  }
  bytes.set(COUNTRY_LENGTH, layout('IBAN_LENGTHS'));
  bytes.set(COUNTRY_DIGITS, layout('IBAN_DIGITS'));
  ISSUER_LENGTHS.forEach((lengths, prefix) => {
    view.setUint32(layout('ISSUER_LENGTHS') + 4 * prefix, lengths, true);
  });
  return {
    layout,
    bytes,
    view,
    owner: undefined,
    maskChunk: exports['maskChunk'] as ChunkEngine['maskChunk'],
    steps: () => (exports['steps'] as { readonly value: bigint }).value,
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decodeBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.replaceAll('=', '').length * 3) / 4));
  let [bits, held, at] = [0, 0, 0];
  for (const char of text) {
    const value = ALPHABET.indexOf(char);
    if (value < 0) continue;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = (bits >> held) & 0xff;
  }
  return bytes;
}
