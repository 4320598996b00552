interface Edit {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly text: string;
}

/** Changes to places of a text that don't overlap. What is between them stays as it is. */
export class TextEdits {
  readonly #edits: Edit[] = [];

  constructor(private readonly text: string) {}

  replace(place: { readonly from: number; readonly to: number }, text: string): void {
    this.#edits.push({ from: place.from, to: place.to, text });
  }

  insert(at: number, text: string): void {
    this.#edits.push({ from: at, to: at, text });
  }

  /** @returns the text itself where nothing changes */
  apply(): string {
    if (this.#edits.length === 0) return this.text;
    let result = '';
    let at = 0;
    for (const edit of this.#edits.sort((one, other) => one.from - other.from)) {
      result += this.text.slice(at, edit.from) + edit.text;
      at = edit.to;
    }
    return result + this.text.slice(at);
  }
}
