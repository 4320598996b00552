import { decodeUtf8 } from '../../../core/bytes.js';
import { BodyReader } from '../wire/frames.js';

/** The cells of a whole DataRow message in text format; null for NULL. Undefined where it is malformed. */
export function rowTexts(message: Uint8Array): readonly (string | null)[] | undefined {
  const reader = new BodyReader(message);
  const row = reader.list(4, () => {
    const length = reader.int32();
    return length === -1 ? null : decodeUtf8(reader.take(length));
  });
  return reader.failed || reader.remaining > 0 ? undefined : row;
}
