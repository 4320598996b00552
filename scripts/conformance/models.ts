// What programs of the model APIs get, direct and through hoop on both ways in, with no rule and no mask: the real SDKs
// (openai, @anthropic-ai/sdk, ai), curl and Python.
//
//   node --import tsx scripts/conformance/models.ts [--only TEXT] [--keep FILE]
//
// Python is `python3`, or what HOOP_TEST_PYTHON names; without its openai package it uses urllib.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ModelUpstream } from '../../src/dev/model-upstream/model-upstream.js';
import { MODEL_PROGRAMS } from '../../test/support/model-programs/all-programs.js';
import { comparable, type ModelProgram, type Place } from '../../test/support/model-programs/program.js';
import { startIssuer } from '../bench/lib/issuer.js';
import { modelHoop, UPSTREAM_KEYS } from '../bench/lib/models/model-connections.js';
import { report, type Outcome } from './lib/verdict.js';

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, keep: { type: 'string' } } });
const programs = MODEL_PROGRAMS.filter(({ name }) => name.includes(values.only));
const upstream = await ModelUpstream.start(UPSTREAM_KEYS);
const issuer = await startIssuer();
const through = await modelHoop(upstream, { issuer, policies: [] });

const keys = { openai: UPSTREAM_KEYS.openaiKey, anthropic: UPSTREAM_KEYS.anthropicKey };
const told = async (program: ModelProgram, place: Place): Promise<string> => {
  const result = await comparable(program, place).catch((error: unknown) => ({ failed: String(error) }));
  return JSON.stringify(result, undefined, 1);
};

const outcomes: Outcome[] = [];
try {
  for (const program of programs) {
    const { name, provider } = program;
    const direct = await told(program, { url: upstream.url, apiKey: keys[provider] });
    const ways = { 'at the agent': through.direct(provider), 'through the port': through.port(provider) };
    for (const [way, place] of Object.entries(ways))
      outcomes.push({ name: `${name}, ${way}`, direct, hoop: await told(program, place) });
  }
} finally {
  await through.stop();
  await issuer.stop();
  await upstream.close();
}
if (values.keep !== undefined) writeFileSync(values.keep, JSON.stringify(outcomes, undefined, 1));
process.exitCode = report(outcomes);
