import type { EventReading, TextPiece } from '../answers/answer-layout.js';
import type { CredentialPieces } from './credential-pieces.js';
import { TextEdits } from '../bodies/text-edits.js';

/** Texts that are followed at once; no real stream has as many. */
const MAX_TEXTS = 4_096;

/** Takes a credential out of the texts of a stream that come in pieces, where nothing else changes them. */
export class CredentialTexts {
  readonly #texts = new Map<string, CredentialPieces>();

  constructor(private readonly open: () => CredentialPieces) {}

  /** Has any of them begun to tell a credential? */
  get begun(): boolean {
    return [...this.#texts.values()].some(({ begun }) => begun);
  }

  /** What each piece of one event may show. */
  shown({ pieces, ends }: EventReading): ReadonlyMap<TextPiece, string> {
    const shown = new Map(pieces.map((piece) => [piece, this.#text(piece.key).push(piece.node.value)]));
    for (const key of this.#texts.keys()) if (ends(key)) this.#texts.delete(key);
    return shown;
  }

  #text(key: string): CredentialPieces {
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    if (this.#texts.size >= MAX_TEXTS) this.#texts.clear();
    const made = this.open();
    this.#texts.set(key, made);
    return made;
  }
}

/** The data of an event with what its pieces may show, of the same length; itself where that is all of them. */
export function withShown(data: string, shown: ReadonlyMap<TextPiece, string>): string {
  const edits = new TextEdits(data);
  for (const [piece, text] of shown)
    if (text !== piece.node.value) edits.replace(piece.node, tokenOf(piece, data, text));
  return edits.apply();
}

/** The token with the same escapes, so that its length stays. */
function tokenOf({ bare, node }: TextPiece, data: string, shown: string): string {
  if (bare === true) return shown;
  const token = data.slice(node.from, node.to);
  let [from, to] = [0, shown.length];
  while (shown[from] === node.value[from]) from += 1;
  while (shown[to - 1] === node.value[to - 1]) to -= 1;
  const found = node.value.slice(from, to);
  return token.includes(found) ? token.replaceAll(found, shown.slice(from, to)) : JSON.stringify(shown);
}
