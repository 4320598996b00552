/** What a reader tells of the messages on one connection. */
export interface MessageEvents {
  /** Start line and headers, without the empty line. */
  head(head: string): void;
  body(part: Buffer): void;
  end(): void;
}

/**
 * The least of HTTP/1.1 that both ends of a bench need: messages one after another, their bodies by length or in chunks.
 * It trusts its peers; what is measured does not.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112.html#name-message-body-length
 */
export class MessageReader {
  #held: Buffer = Buffer.alloc(0);
  #state: 'head' | 'length' | 'size' | 'chunk' | 'chunk-end' | 'trailer' = 'head';
  /** Bytes still to come of a body or a chunk. */
  #left = 0;

  constructor(private readonly events: MessageEvents) {}

  push(part: Buffer): void {
    let rest = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
    for (;;) {
      const next = this.#step(rest);
      if (next === undefined) break;
      rest = next;
    }
    this.#held = rest;
  }

  /** @returns what is left after a step, undefined where more has to come first */
  #step(bytes: Buffer): Buffer | undefined {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes);
      case 'size':
        return this.#size(bytes);
      case 'chunk-end':
        return this.#line(bytes, () => {
          this.#state = 'size';
        });
      case 'trailer':
        return this.#line(bytes, () => this.#finish());
      case 'length':
      case 'chunk':
        return this.#content(bytes);
    }
  }

  #head(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const head = bytes.toString('latin1', 0, end);
    this.events.head(head);
    this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#state = 'size';
    else if (this.#left > 0) this.#state = 'length';
    else this.#finish();
    return bytes.subarray(end + 4);
  }

  #size(bytes: Buffer): Buffer | undefined {
    return this.#line(bytes, (line) => {
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'chunk';
    });
  }

  #content(bytes: Buffer): Buffer | undefined {
    if (bytes.length === 0) return undefined;
    const part = bytes.subarray(0, this.#left);
    this.#left -= part.length;
    this.events.body(part);
    if (this.#left === 0) {
      if (this.#state === 'length') this.#finish();
      else this.#state = 'chunk-end';
    }
    return bytes.subarray(part.length);
  }

  #line(bytes: Buffer, take: (line: string) => void): Buffer | undefined {
    const end = bytes.indexOf('\r\n');
    if (end === -1) return undefined;
    take(bytes.toString('latin1', 0, end));
    return bytes.subarray(end + 2);
  }

  #finish(): void {
    this.#state = 'head';
    this.events.end();
  }
}
