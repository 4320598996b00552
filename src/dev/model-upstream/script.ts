import type { Steering } from './steering.js';

/** What the model says, as the newest message of the prompt asks for it. */
export interface Script {
  readonly reasoning: string;
  readonly text: string;
  readonly refusal: string;
  readonly citation: string;
  readonly calls: readonly ToolCall[];
}

export interface ToolCall {
  readonly name: string;
  /** JSON, as it was written in the prompt. */
  readonly arguments: string;
}

/** The newest message of a prompt, and whether it is what a tool gave. */
export interface NewestMessage {
  readonly from: 'user' | 'tool';
  readonly text: string;
}

const CANNED = 'Hello! How can I help you today?';
const DIRECTIVE = /^(say|think|refuse|cite|call): ?/;

/**
 * Lines of the newest message that begin with `say:`, `think:`, `refuse:`, `cite:` or `call: NAME {json}` are what the
 * answer says; a line without such a beginning belongs to the one before. `echo` alone says the request as it arrived.
 *
 * @param arrived the request as it arrived, as text
 */
export function scriptOf(newest: NewestMessage, steering: Steering, arrived: () => string): Script {
  const parts = { say: '', think: '', refuse: '', cite: '' };
  const calls: ToolCall[] = [];
  if (newest.from === 'tool') parts.say = `The tool gave: ${newest.text}`;
  else if (newest.text.trim() === 'echo') parts.say = arrived();
  else {
    for (const [name, value] of directivesIn(newest.text)) {
      if (name !== 'call') parts[name] += value;
      else calls.push(toolCall(value));
    }
  }
  const isSilent = calls.length > 0 || parts.refuse !== '';
  const text = parts.say === '' && !isSilent ? CANNED : parts.say;
  return {
    reasoning: parts.think,
    text: text === '' ? '' : repeatedTo(text, steering.textChars),
    refusal: parts.refuse,
    citation: parts.cite,
    calls,
  };
}

type DirectiveName = 'say' | 'think' | 'refuse' | 'cite' | 'call';

function directivesIn(message: string): readonly (readonly [DirectiveName, string])[] {
  const found: [DirectiveName, string][] = [];
  for (const line of message.split('\n')) {
    const begun = DIRECTIVE.exec(line);
    const last = found.at(-1);
    if (begun !== null) found.push([begun[1] as DirectiveName, line.slice(begun[0].length)]);
    else if (last !== undefined) last[1] += `\n${line}`;
  }
  return found;
}

function toolCall(value: string): ToolCall {
  const [name = ''] = value.split(' ', 1);
  const json = value.slice(name.length).trim();
  return { name, arguments: json === '' ? '{}' : json };
}

function repeatedTo(text: string, chars: number): string {
  return chars === 0 ? text : text.repeat(Math.ceil(chars / text.length)).slice(0, chars);
}

/** A text in the pieces that a stream sends; without end where the answer shall have none. */
export function* fragmentsOf(text: string, steering: Steering): Generator<string> {
  const points = [...text];
  do {
    for (let at = 0; at < points.length; at += steering.fragmentChars) {
      yield points.slice(at, at + steering.fragmentChars).join('');
    }
  } while (steering.fault === 'endless' && points.length > 0);
}

/** As the providers count roughly: four characters are a token. */
export function tokensIn(text: string): number {
  return Math.ceil(text.length / 4);
}
