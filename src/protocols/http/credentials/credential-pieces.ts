/** Of a text that comes in pieces, the credential that one piece begins and another ends. */
export interface CredentialPieces {
  /** @returns the piece with stars for what is of a credential; of the same length */
  push(piece: string): string;
  /** Does the text end with what may be the beginning of a credential? */
  readonly begun: boolean;
}

/** Shorter ones begin by chance at the end of many pieces. */
const MIN_LENGTH = 8;
/** As much as provider's keys may have in common; of a shorter credential half. */
const TELLING = 16;
const STAR = '*';

/** One credential, and how far each text has come in it. */
class Sought {
  /** For each length matched, the longest shorter one that is a beginning too (Knuth, Morris and Pratt 1977). */
  readonly #shorter: number[] = [0];
  readonly #telling: number;

  constructor(private readonly value: string) {
    this.#telling = Math.min(TELLING, Math.ceil(value.length / 2));
    for (let at = 1; at < value.length; at += 1)
      this.#shorter.push(this.#step(this.#shorter[at - 1] as number, value[at]));
  }

  /**
   * @param depth characters of the credential that the text ended with so far
   * @returns what the piece ends with, and how much of its beginning and its end is of the credential
   */
  take(piece: string, depth: number): { readonly depth: number; readonly head: number; readonly tail: number } {
    if (depth === 0 && !piece.includes(this.value.charAt(0))) return { depth: 0, head: 0, tail: 0 };
    let now = depth;
    let goesOn = depth > 0;
    let head = 0;
    for (let at = 0; at < piece.length; at += 1) {
      if (now === this.value.length) now = this.#shorter[now - 1] as number;
      now = this.#step(now, piece[at]);
      goesOn &&= now === depth + at + 1;
      if (goesOn) head = at + 1;
    }
    return {
      depth: now,
      head: depth + head >= this.#telling ? head : 0,
      tail: now >= this.#telling ? Math.min(now, piece.length) : 0,
    };
  }

  #step(depth: number, sign: string | undefined): number {
    let now = depth;
    while (now > 0 && this.value[now] !== sign) now = this.#shorter[now - 1] as number;
    return this.value[now] === sign ? now + 1 : 0;
  }
}

/**
 * Finds credentials that are cut over pieces. Nothing is held back for it: what a piece ends with is starred as soon as
 * it is telling (16 characters, or half of it), and so is what goes on with it. Of a cut before that, the beginning shows.
 *
 * @param values without schemes; encoded spellings are not looked for
 */
export function piecesOf(values: readonly string[]): (() => CredentialPieces) | undefined {
  const sought = values.filter(({ length }) => length >= MIN_LENGTH).map((value) => new Sought(value));
  if (sought.length === 0) return undefined;
  return () => {
    const depths = sought.map(() => 0);
    return {
      get begun() {
        return depths.some((depth) => depth > 0);
      },
      push(piece) {
        let shown = piece;
        sought.forEach((one, index) => {
          const { depth, head, tail } = one.take(piece, depths[index] ?? 0);
          depths[index] = depth;
          const end = piece.length - tail;
          if (head > 0) shown = STAR.repeat(head) + shown.slice(head);
          if (tail > 0) shown = shown.slice(0, end) + STAR.repeat(tail);
        });
        return shown;
      },
    };
  };
}
