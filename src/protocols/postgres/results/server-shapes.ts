import { BodyReader, SERVER, typeSet } from '../wire/frames.js';

const EMPTY = typeSet([
  SERVER.parseComplete,
  SERVER.bindComplete,
  SERVER.closeComplete,
  SERVER.noData,
  SERVER.copyDone,
  SERVER.emptyQuery,
  SERVER.portalSuspended,
]);

const TRANSACTION_STATES = typeSet([0x49, 0x54, 0x45]);
/** Looked at elsewhere, each by its own reader. */
const UNSHAPED = typeSet([SERVER.dataRow, SERVER.copyData, SERVER.rowDescription]);

/**
 * Do the small messages of the server hold what the protocol says and nothing else? What has no
 * mask of its own must not be able to carry a value past the masks.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function wellShaped(type: number, message: Uint8Array): boolean {
  if (EMPTY.has(type)) return message.length === 5;
  if (UNSHAPED.has(type)) return true;
  const reader = new BodyReader(message);
  switch (type) {
    case SERVER.readyForQuery:
      return message.length === 6 && TRANSACTION_STATES.has(message[5] as number);
    case SERVER.commandComplete:
      return /^[A-Za-z0-9 ]{1,64}$/.test(reader.cstring()) && wholly(reader);
    case SERVER.parameterStatus:
      return /^[A-Za-z0-9_.]{1,63}$/.test(reader.cstring()) && reader.cstringBytes().length < 65_536 && wholly(reader);
    case SERVER.parameterDescription:
      reader.list(4, () => reader.int32());
      return wholly(reader);
    case SERVER.copyIn:
    case SERVER.copyOut:
      return (
        reader.byte() <= 1 && reader.list(2, () => reader.uint16()).every((format) => format <= 1) && wholly(reader)
      );
    default:
      return true;
  }
}

function wholly(reader: BodyReader): boolean {
  return !reader.failed && reader.remaining === 0;
}
