import type { Fault } from '../../../core/errors.js';
import type { MaskCounts } from '../../../core/mask.js';
import type { CopyFormat } from './copy-format.js';
import { CopyRowMasker, type CopyColumn } from './copy-masker.js';
import { HEADER_BYTES } from '../wire/frames.js';
import type { SessionMasks } from '../masks.js';
import { copyDataMessage } from '../wire/messages.js';
import type { Run } from '../statements/run.js';

/**
 * The masker of one COPY … TO STDOUT; undefined where nothing in it can change.
 *
 * @param format how it writes its rows; undefined where nobody can tell
 */
export function copyMasker(
  { answers: values, columns: whole, ...masks }: SessionMasks,
  run: Run,
  format: () => CopyFormat | undefined,
  counts: MaskCounts,
): CopyRowMasker | Fault | undefined {
  const copied = whole?.ofCopy(run);
  const ruled = copied?.some(({ rule }) => rule?.observed === false) === true;
  if (values === undefined && !ruled && (whole === undefined || copied !== undefined)) return undefined;
  const form = format();
  // Decided before it was sent; a form that can't be masked never gets here in good order.
  if (form === undefined || (whole !== undefined && copied === undefined))
    return { code: 'protocol', message: 'a COPY in a form that can not be masked' };
  const known = copied === undefined ? undefined : { ...masks, columns: enforced(copied), types: masks.types?.() };
  return new CopyRowMasker(form, values, counts, known);
}

/** Rules that are only observed leave what is copied alone. */
function enforced(columns: readonly CopyColumn[]): readonly CopyColumn[] {
  return columns.map((column) => (column.rule?.observed === true ? { ...column, rule: undefined } : column));
}

/** A CopyData message as it may go out, itself when nothing changes; undefined when it is malformed. */
export function maskedCopyData(masker: CopyRowMasker, message: Uint8Array): Uint8Array | undefined {
  const payload = message.subarray(HEADER_BYTES);
  const masked = masker.mask(payload);
  if (masked === undefined) return undefined;
  return masked === payload ? message : copyDataMessage(masked);
}
