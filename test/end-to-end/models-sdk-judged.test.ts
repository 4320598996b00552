import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MODEL_PROGRAMS } from '../support/model-programs/all-programs.js';
import { comparable, type ModelProgram } from '../support/model-programs/program.js';
import { startModelAgent, UPSTREAM_KEYS, type ModelAgent } from '../support/model-upstream-agent.js';

const KEYS = { openai: UPSTREAM_KEYS.openaiKey, anthropic: UPSTREAM_KEYS.anthropicKey };

/** What masks can't leave as it is: log probabilities, broken answers, and which words of a stream come in which event (Python prints them as they come). */
const DIFFERS = /logprobs|fault=|stream|python/;
const ASSEMBLED = /put together/;

const SAME: readonly ModelProgram[] = MODEL_PROGRAMS.filter(
  ({ name, broken }) => broken === undefined && (!DIFFERS.test(name) || ASSEMBLED.test(name)),
);

let agent: ModelAgent;

beforeAll(async () => {
  agent = await startModelAgent({
    policies: `apiVersion: hoop/v1
kind: Policy
metadata: { name: standard }
spec:
  rules:
    - { name: no-dumps, when: 'llm.prompt.matches("(?i)dump[a-z ]*credentials")', action: block }
    - { name: long, when: 'llm.maxTokens != null && llm.maxTokens > 100000', action: warn }
  mask:
    - { name: pii, entities: [email, credit-card, us-ssn, phone, iban, api-key, jwt, private-key], strategy: partial }
    - { name: prompts, entities: [email, phone], strategy: redact, on: [requests], reversible: true }
  limits:
    - { name: day, per: user, requests: { perDay: 100000 }, tokens: { perDay: 100000000 } }
`,
  });
}, 60_000);
afterAll(() => agent.close());

describe('programs on the real SDKs, under rules, masks both ways and limits that meet nothing of theirs', () => {
  it.each(SAME.map((program) => [program.name, program] as const))(
    'get the same as direct: %s',
    async (_name, program) => {
      const direct = await comparable(program, { url: agent.upstream.url, apiKey: KEYS[program.provider] });
      expect(await comparable(program, await agent.direct(program.provider))).toEqual(direct);
    },
  );
});
