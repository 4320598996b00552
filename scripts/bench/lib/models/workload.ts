import type { LoadTarget } from './load.js';

/** About 2 kB of prompt, as an assistant with instructions and some history sends it. */
function chat(model: string, say: string, stream: boolean): string {
  const system = 'You are the assistant of a shop. Answer in short sentences and never guess. '.repeat(12);
  const history = 'Where is my order? It was sent on Monday and should be here by the end of this week. '.repeat(10);
  return JSON.stringify({
    model,
    stream,
    temperature: 0.2,
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: history },
      { role: 'assistant', content: 'It is on its way.' },
      { role: 'user', content: `say: ${say}` },
    ],
  });
}

const ANSWER = 'Thank you for asking. Your parcel left the warehouse and is with the carrier now. '.repeat(4);
/** Words that begin no match of any entity. */
const WORDS = 'the quiet river turns below the hill and carries leaves of maple ash and elder toward the sea '.repeat(
  3,
);

/** Milliseconds between the events of a stream: a model that is fast. */
export const EVENT_DELAY_MS = 10;

export const REQUEST = chat('trial', `${ANSWER} Write to ada.quill@example.com.`, false);
export const STREAM = chat(`trial;fragment=6;delay=${String(EVENT_DELAY_MS)}`, WORDS, true);
/** Runs for two minutes. */
export const LONG_STREAM = chat('trial;fragment=6;delay=100', WORDS.repeat(27), true);

/** Rules, masks and recording as a company would have them on; the connection of type http has none. */
export const POLICIES = `apiVersion: hoop/v1
kind: Policy
metadata: { name: prompts }
spec:
  match: { types: [openai, anthropic] }
  rules:
    - { name: credential-dump, when: 'llm.prompt.contains("credential dump")', action: block }
    - { name: confidential, when: 'llm.prompt.matches("(?i)strictly confidential")', action: block }
    - { name: large-models, when: 'llm.model.startsWith("huge")', action: block }
  mask:
    - { name: pii, entities: [email, credit-card, us-ssn, phone, private-key, jwt], strategy: partial }
`;

/** @throws Error where a way does not answer as it must: fast refusals are no figures */
export async function checkAnswer(name: string, target: LoadTarget, isMasked: boolean): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${String(target.port)}${target.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...target.headers },
    body: REQUEST,
  });
  const text = await answer.text();
  const isRight = answer.status === 200 && text.includes('Your parcel') && text.includes('"finish_reason":"stop"');
  if (!isRight || text.includes('ada.quill@') === isMasked)
    throw new Error(`${name} does not answer as it must: ${String(answer.status)} ${text.slice(0, 300)}`);
}
