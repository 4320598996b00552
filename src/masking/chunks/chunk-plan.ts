/** Turns masks into what the scanner over whole chunks reads: which kinds, what to do with each, which literals. */
import type { ChunkEngine, Layout } from './chunk-engine.js';
import { BUCKETS, placeLiterals } from './chunk-literals.js';
import type { PlacedLiteral } from './chunk-literals.js';
import type { Literal } from '../finding/entity.js';
import { prefilterOf } from '../mask-set.js';
import type { Mask } from '../mask-set.js';
import type { Prefilter } from '../finding/prefilter.js';

/** Kinds that the scanner finds by itself, by name, in the order of its counts. */
export const SCANNED: readonly string[] = ['email', 'credit-card', 'us-ssn', 'phone', 'iban', 'ip-address', 'br-cpf'];
const PASSWORD_IN_URL = 'password-in-url';

const MAX_LABEL_BYTES = 256;
const MAX_LITERAL_BYTES = 60;
const MAX_LITERALS = 256;

/** What stands in a label has to be escaped in COPY: such findings are left to TypeScript. */
const ESCAPED = new Set([0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x22, 0x5c]);

/** Masks as the scanner knows them. */
export interface ChunkPlan {
  readonly masks: readonly Mask[];
  readonly literals: readonly PlacedLiteral[];
  /** Says that kinds the scanner does not know may stand in a message; undefined where all are known. */
  readonly rest: Prefilter | undefined;
}

/** @returns undefined where something is asked for that nothing can rule out: then every row is TypeScript's */
export function chunkPlanOf(masks: readonly Mask[]): ChunkPlan | undefined {
  const literals: Literal[] = [];
  const rest: Mask[] = [];
  for (const mask of masks)
    if (!isScanned(mask) && 'detector' in mask.target && mask.target.detector.literals === undefined) rest.push(mask);
  for (const mask of masks) {
    if (isScanned(mask) || rest.includes(mask)) continue;
    const { target } = mask;
    const own: readonly Literal[] =
      'finder' in target
        ? [{ text: target.finder.literal.slice(0, MAX_LITERAL_BYTES), least: 0, check: 'none' }]
        : (target.detector.literals ?? []);
    if (own.length === 0 || own.some(({ text }) => text.length === 0)) return undefined;
    literals.push(...own);
  }
  if (literals.length > MAX_LITERALS) return undefined;
  return { masks, literals: placeLiterals(literals), rest: rest.length === 0 ? undefined : prefilterOf(rest) };
}

function isScanned({ name }: Mask): boolean {
  return SCANNED.includes(name) || name === PASSWORD_IN_URL;
}

/** Which rows come: the scanner is set up anew whenever this or the plan changes. */
export interface ChunkForm {
  readonly kind: 'FORM_ROWS' | 'FORM_COPY_TEXT' | 'FORM_COPY_CSV';
  readonly delimiter: number;
  /** Of each column, as `assembly/layout.ts` numbers them; none where nobody knows them, in COPY. */
  readonly cells: Uint8Array;
}

/** Writes plan and form into the scanner's memory. */
export function configure(engine: ChunkEngine, { masks, literals }: ChunkPlan, form: ChunkForm): void {
  const { layout, view, bytes } = engine;
  bytes.fill(0, layout('CONFIG'), layout('COLUMNS'));
  let enabled = literals.length > 0 ? bit(layout, 'LITERAL') : 0;
  let label = 0;
  for (const mask of masks) {
    if (mask.name === PASSWORD_IN_URL) enabled |= bit(layout, 'URL_PASSWORD');
    const index = SCANNED.indexOf(mask.name);
    if (index < 0) continue;
    enabled |= 1 << index;
    const action = actionOf(mask, form);
    const entry = layout('ACTIONS') + 16 * index;
    view.setUint32(entry, layout(action), true);
    if (action !== 'ACTION_LABEL') continue;
    bytes.set(mask.text, layout('LABELS') + label);
    view.setUint32(entry + 4, label, true);
    view.setUint32(entry + 8, mask.text.length, true);
    label += mask.text.length;
  }
  view.setUint32(layout('ENABLED'), enabled, true);
  view.setUint32(layout('FORM'), layout(form.kind), true);
  bytes[layout('DELIMITER')] = form.delimiter;
  view.setUint32(layout('COLUMN_COUNT'), form.cells.length, true);
  bytes.set(form.cells, layout('COLUMNS'));
  writeLiterals(engine, literals);
}

function bit(layout: Layout, name: string): number {
  return 1 << layout(name);
}

const PARTIAL = {
  domain: 'ACTION_DOMAIN',
  last4: 'ACTION_LAST4',
  third: 'ACTION_THIRD',
  // The scanner finds dotted quads alone.
  quad: 'ACTION_THIRD',
  none: 'ACTION_LABEL',
} as const;

function actionOf({ rule, detector, text }: Mask, form: ChunkForm): string {
  if (rule.strategy === 'partial') return PARTIAL[detector?.partial ?? 'none'];
  const plain =
    text.length <= MAX_LABEL_BYTES &&
    (form.kind === 'FORM_ROWS' || !text.some((byte) => byte === form.delimiter || ESCAPED.has(byte)));
  return plain && (rule.strategy === 'redact' || rule.strategy === 'replace') ? 'ACTION_LABEL' : 'ACTION_SLOW';
}

const CHECKS = { none: 'CHECK_NONE', key: 'CHECK_KEY', jwt: 'CHECK_JWT', pem: 'CHECK_PEM' } as const;

/** Six tables say of each half of a literal's first three bytes in which of eight buckets it occurs. */
function writeLiterals({ layout, view, bytes }: ChunkEngine, literals: readonly PlacedLiteral[]): void {
  const byBucket = [...literals].sort((one, other) => one.bucket - other.bucket);
  for (let bucket = 0; bucket <= BUCKETS; bucket += 1) {
    const before = byBucket.filter((literal) => literal.bucket < bucket).length;
    view.setUint16(layout('BUCKETS') + 2 * bucket, before, true);
  }
  byBucket.forEach(({ text, least, check, bucket, nibbles }, index) => {
    const entry = layout('LITERALS') + index * layout('LITERAL_BYTES');
    bytes.set([0, text.length, least, layout(CHECKS[check]), ...text], entry);
    nibbles.forEach((set, place) => {
      for (let half = 0; half < 16; half += 1) {
        const at = layout('NIBBLES') + 16 * place + half;
        if (((set >> half) & 1) !== 0) bytes[at] = (bytes[at] as number) | (1 << bucket);
      }
    });
  });
}
