import type { RawSession, WireMessage } from '../../../support/raw-postgres.js';
import { bind, describePortal, execute, i32, message, parse, query, sync, u16 } from '../wire.js';
import type { Message } from './evasion.js';

interface Bytes {
  readonly bytes: Buffer;
  /** How many ReadyForQuery answer it. */
  readonly ready: number;
}

/** Object ids of functions by their signature, for the function call message. */
export type FunctionIds = (signature: string) => Promise<number>;

/** Sends one message of an entry, or the several that it stands for, and gives all that came back. */
export async function sendMessage(
  session: RawSession,
  sent: Message,
  fill: (text: string) => string,
  functionId: FunctionIds,
): Promise<readonly WireMessage[]> {
  const { bytes, ready } = await bytesOf(sent, fill, functionId);
  return session.exchange(bytes, ready);
}

async function bytesOf(sent: Message, fill: (text: string) => string, functionId: FunctionIds): Promise<Bytes> {
  if (typeof sent === 'string') return { bytes: query(fill(sent)), ready: 1 };
  if ('extended' in sent)
    return { bytes: Buffer.concat([...once(fill(sent.extended), sent.values), sync()]), ready: 1 };
  if ('pipeline' in sent) {
    return { bytes: Buffer.concat([...sent.pipeline.flatMap((text) => once(fill(text), [])), sync()]), ready: 1 };
  }
  if ('copy' in sent) {
    const data = [message('d', fill(sent.data)), message('c', '')];
    return { bytes: Buffer.concat([query(fill(sent.copy)), ...data]), ready: 1 };
  }
  const parts: Bytes[] = [];
  for (const line of sent.wire) parts.push(await lineBytes(fill(line), functionId));
  return {
    bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
    ready: parts.reduce((sum, { ready }) => sum + ready, 0),
  };
}

function once(text: string, values: readonly (string | null)[]): Buffer[] {
  return [parse('', text), bind('', '', values), describePortal(''), execute('')];
}

/** `Q text`, `P name|text`, `B portal|statement|value…`, `D portal`, `E portal|rows`, `F signature|argument…`, `S`. */
async function lineBytes(line: string, functionId: FunctionIds): Promise<Bytes> {
  const rest = line.slice(2);
  const [first = '', second = '', ...others] = rest.split('|');
  switch (line.charAt(0)) {
    case 'Q':
      return { bytes: query(rest), ready: 1 };
    case 'P':
      return { bytes: parse(first, rest.slice(first.length + 1)), ready: 0 };
    case 'B':
      return { bytes: bind(first, second, others), ready: 0 };
    case 'D':
      return { bytes: describePortal(first), ready: 0 };
    case 'E':
      return { bytes: execute(first, second === '' ? 0 : Number(second)), ready: 0 };
    case 'F':
      return { bytes: functionCall(await functionId(first), rest.split('|').slice(1)), ready: 1 };
    case 'S':
      return { bytes: sync(), ready: 1 };
    default:
      throw new Error(`no such message: ${line}`);
  }
}

function functionCall(id: number, values: readonly string[]): Buffer {
  const given = values.map((value) => Buffer.concat([i32(Buffer.byteLength(value)), Buffer.from(value)]));
  return message('F', Buffer.concat([i32(id), u16(0), u16(values.length), ...given, u16(0)]));
}

/** The messages in a form that is equal for equal answers: object ids of tables and types differ between two databases. */
export function comparable(messages: readonly WireMessage[]): string[] {
  return messages.map(({ type, body }) => `${type} ${type === 'T' ? columnsOf(body) : cellsOf(type, body)}`);
}

const FIRST_USER_OID = 16_384;

function columnsOf(body: Buffer): string {
  const columns: string[] = [];
  for (let at = 2; at < body.length;) {
    const end = body.indexOf(0, at);
    const tail = Buffer.from(body.subarray(end + 1, end + 19));
    for (const place of [0, 6]) tail.writeUInt32BE(Math.min(tail.readUInt32BE(place), FIRST_USER_OID), place);
    columns.push(`${body.toString('utf8', at, end)}:${tail.toString('hex')}`);
    at = end + 19;
  }
  return columns.join(',');
}

function cellsOf(type: string, body: Buffer): string {
  // A notification starts with the process id of the session that sent it.
  const text = body.toString('latin1', type === 'A' ? 4 : 0);
  return type === 'C' || type === 'Z' ? text : JSON.stringify(text);
}
