import { isFault } from '../../../core/errors.js';
import { parseJsonTree } from '../../../core/json-tree.js';
import type { CredentialPieces } from '../../../protocols/http/credentials/credential-pieces.js';
import { CredentialTexts, withShown } from '../../../protocols/http/credentials/credential-texts.js';
import { PlainLayout } from '../../../protocols/http/answers/plain-layout.js';

/** Pieces of a text are small; larger messages are not looked at for being one. */
const LARGEST_BYTES = 64 * 1024;

/** Takes the credential out of text messages that hold pieces of one text, as events do. */
export class CredentialMessages {
  readonly #texts: CredentialTexts | undefined;
  readonly #layout = new PlainLayout();

  constructor(open: (() => CredentialPieces) | undefined) {
    this.#texts = open && new CredentialTexts(open);
  }

  /** @returns the message itself where nothing is found */
  clean(message: Buffer): Buffer {
    if (this.#texts === undefined || message.length > LARGEST_BYTES) return message;
    const data = message.toString();
    const tree = parseJsonTree(data);
    const reading = isFault(tree) ? this.#layout.bare(data, '') : this.#layout.json(tree, data, '');
    const shown = withShown(data, this.#texts.shown(reading));
    return shown === data ? message : Buffer.from(shown);
  }
}
