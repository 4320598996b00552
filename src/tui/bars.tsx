import type { LineEdit } from './line-edit.js';
import { clipLine, type Line, type Piece, piece } from './lines.js';
import { LineView } from './lines-view.js';

/** A key and what it does, for the bar at the bottom: `['a', 'approve']`. */
export type Hint = readonly [key: string, does: string];

/** The keys that count now. Those that no longer fit are left out from the end. */
export function hintLine(hints: readonly Hint[], width: number): Line {
  const pieces: Piece[] = [];
  let used = 0;
  for (const [key, does] of hints) {
    const gap = pieces.length === 0 ? '' : '  ';
    const needed = gap.length + key.length + 1 + does.length;
    if (used + needed > width) break;
    used += needed;
    pieces.push({ text: gap }, piece(key, 'bold'), piece(` ${does}`, 'dim'));
  }
  return pieces;
}

/** The line that is being typed, behind its question. The part around the cursor is shown where it is too long. */
export function editRow(label: string, edit: LineEdit, width: number): Line {
  // A block rather than a turned-around space at the end: without colours nothing is turned around.
  const characters = [...edit.text, '█'];
  const atEnd = edit.cursor >= characters.length - 1;
  const room = Math.max(8, width - label.length - 1);
  const from = Math.max(0, edit.cursor - room + 1);
  const before = characters.slice(from, edit.cursor).join('');
  const after = characters.slice(edit.cursor + 1).join('');
  return clipLine(
    [
      piece(`${label} `, 'bold'),
      piece(before),
      piece(characters[edit.cursor] ?? '█', atEnd ? 'plain' : 'inverse'),
      piece(after),
    ],
    width,
  );
}

export function HintBar({ hints, width }: { readonly hints: readonly Hint[]; readonly width: number }) {
  return <LineView line={hintLine(hints, width)} />;
}

export function EditBar(props: { readonly label: string; readonly edit: LineEdit; readonly width: number }) {
  return <LineView line={editRow(props.label, props.edit, props.width)} />;
}
