import type { PreviewRows } from '../../../core/approval.js';
import { parseRowDescription } from '../results/columns.js';
import { rowMaskers, type SessionMasks } from '../masks.js';
import { rowTexts } from '../results/row-texts.js';
import type { Run } from '../statements/run.js';

/** Characters of one value that a reviewer is shown; cut after it was masked. */
const MAX_CELL = 200;

/** The masks of one person, which have followed what gave the rows. */
export interface FollowedMasks {
  readonly masks: SessionMasks;
  readonly run: Run;
  /** Which rows it gives tells of a masked column: then none is shown. */
  readonly tells: boolean;
}

/**
 * Rows of an answer as they may be shown: masked as in the record, which is never less than what the person whose
 * masks they are gets.
 *
 * @param people each one's masks, one after the other: what either may not see is not shown
 * @param shown last look at each masked value
 * @returns undefined where nothing may be shown, or the server's messages are malformed
 */
export function maskedSample(
  people: readonly FollowedMasks[],
  answer: { readonly description: Uint8Array; readonly rows: readonly Uint8Array[] },
  shown: (text: string) => string,
): PreviewRows | undefined {
  const columns = parseRowDescription(answer.description);
  if (columns === undefined || people.some(({ tells }) => tells)) return undefined;
  const maskers = people.flatMap(({ masks, run }) => {
    const { client, record } = rowMaskers(masks, columns, masks.columns?.ofResult(run, undefined, columns), new Map());
    return record ?? client ?? [];
  });
  const rows: (string | null)[][] = [];
  for (const row of answer.rows) {
    const masked = maskers.reduce<Uint8Array | undefined>((bytes, masker) => bytes && masker.mask(bytes), row);
    const texts = masked === undefined ? undefined : rowTexts(masked);
    if (texts?.length !== columns.length) return undefined;
    rows.push(texts.map((text) => (text === null ? null : cut(shown(text)))));
  }
  return { columns: columns.map(({ name }) => name), rows };
}

function cut(text: string): string {
  return text.length > MAX_CELL ? `${text.slice(0, MAX_CELL)}…` : text;
}
