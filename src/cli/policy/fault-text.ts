import { readFile } from 'node:fs/promises';
import { formatFault, type ConfigFault } from '../../config/fault.js';
import { displayWidth, escapeControls } from '../../core/display.js';

/** Characters of a line that are shown, and of those so many before the place. */
const MAX_SHOWN = 120;
const MAX_BEFORE = 80;

/**
 * `FILE:LINE:COLUMN: message`, the line itself and a caret below the place, as compilers show them. Where the line can't
 * be read the first line stands alone.
 */
export async function faultText(fault: ConfigFault): Promise<string> {
  const head = formatFault(fault);
  const text = await readFile(fault.file, 'utf8').catch(() => '');
  const line = text.split('\n')[fault.line - 1]?.replace(/\r$/, '');
  if (line === undefined || line.trim() === '') return head;
  const at = Math.min(fault.column - 1, line.length);
  const from = Math.max(0, at - MAX_BEFORE);
  const cut = from === 0 ? '' : '…';
  const before = `${cut}${shown(line.slice(from, at))}`;
  const after = shown(line.slice(at, from + MAX_SHOWN));
  const number = String(fault.line);
  const margin = ' '.repeat(number.length);
  const more = from + MAX_SHOWN < line.length ? '…' : '';
  return `${head}\n  ${number} | ${before}${after}${more}\n  ${margin} | ${' '.repeat(displayWidth(before))}^`;
}

/** A tab is one column here, so that the caret stands where it should. */
function shown(text: string): string {
  return escapeControls(text.replaceAll('\t', ' '));
}
