/**
 * The exact shape of those messages of a server that go down unread: what a longer or looser one held
 * would reach the client unmasked.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { BodyReader, SERVER } from './frames.js';

/** `INSERT 0 5`, `CREATE TABLE`: the server writes nothing else into a command tag. */
const COMMAND_TAG = /^[A-Z]+( [A-Z]+)*( \d+){0,2}$/;
/** Idle, in a transaction, in a failed one. */
const READY = new Set(['I', 'T', 'E'].map((letter) => letter.charCodeAt(0)));

/** Reads a body; false when it holds what it must not. */
type Shape = (body: BodyReader) => boolean;

const empty: Shape = () => true;
const copyStart: Shape = (body) => {
  body.byte();
  body.list(2, () => body.uint16());
  return true;
};

const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [SERVER.bindComplete, empty],
  [SERVER.closeComplete, empty],
  [SERVER.copyDone, empty],
  [SERVER.emptyQuery, empty],
  [SERVER.noData, empty],
  [SERVER.parseComplete, empty],
  [SERVER.portalSuspended, empty],
  [SERVER.readyForQuery, (body) => READY.has(body.byte())],
  [SERVER.commandComplete, (body) => COMMAND_TAG.test(body.cstring())],
  [SERVER.copyIn, copyStart],
  [SERVER.copyOut, copyStart],
  [
    SERVER.parameterDescription,
    (body) => {
      body.list(4, () => body.int32());
      return true;
    },
  ],
  [
    SERVER.parameterStatus,
    (body) => {
      body.cstringBytes();
      body.cstringBytes();
      return true;
    },
  ],
  [
    SERVER.notification,
    (body) => {
      body.int32();
      body.cstringBytes();
      body.cstringBytes();
      return true;
    },
  ],
]);

/** Is this whole message, header included, of the shape its type has? True for types that are read elsewhere. */
export function hasItsShape(type: number, message: Uint8Array): boolean {
  const shape = SHAPES.get(type);
  if (shape === undefined) return true;
  const body = new BodyReader(message);
  return shape(body) && !body.failed && body.remaining === 0;
}
