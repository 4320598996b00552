/** What TypeScript calls: the chunk stands in `RAW`, `CONFIG` is set; what came of it stands in `RESULT` and `OUT`. */
import { CHUNK, COLUMN_COUNT, FORM, FORM_ROWS, RAW, RESULT, SCAN } from './layout';
import { begin, findings, finishOutput, slow } from './output';
import { scan } from './scan';
import { forgetTokens } from './secrets';
import { consumed, rows, walkCopy, walkRows } from './walk';
export { steps } from './bytes';
export * from './layout';

/**
 * Masks whole messages in RAW[0,length).
 *
 * @returns 1 where anything is different or left to TypeScript
 */
export function maskChunk(length: usize): u32 {
  if (length > CHUNK) unreachable();
  memory.copy(SCAN, RAW, length);
  if (load<u32>(FORM) == FORM_ROWS) walkRows(length, load<u32>(COLUMN_COUNT));
  else walkCopy(length);
  begin();
  forgetTokens();
  scan(consumed);
  store<u32>(RESULT, <u32>consumed);
  store<u32>(RESULT, <u32>rows, 4);
  store<u32>(RESULT, <u32>slow, 12);
  const changed = findings != 0 || slow != 0;
  if (changed) store<u32>(RESULT, <u32>finishOutput(), 8);
  return changed ? 1 : 0;
}
