import { relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../scripts/checks/dependency-cruiser.config.mjs';
import { brokenImports, type BrokenImport } from '../../scripts/checks/imports.mjs';
import { plantTree, type PlantedTree } from './planted-tree.js';

/** What the planted tree holds to import: one file per room. */
const targets = [
  'src/core/target.ts',
  'src/policy/types.ts',
  'src/policy/schema.ts',
  'src/policy/decide.ts',
  'src/masking/target.ts',
  'src/protocols/contract.ts',
  'src/protocols/registry.ts',
  'src/protocols/postgres/session.ts',
  'src/tunnel/target.ts',
  'src/identity/target.ts',
  'src/secrets/target.ts',
  'src/connections/target.ts',
  'src/approvals/target.ts',
  'src/recording/target.ts',
  'src/store/target.ts',
  'src/config/target.ts',
  'src/agent/target.ts',
  'src/client/target.ts',
  ...['connect', 'login', 'ports', 'replay', 'tunnels'].map((folder) => `src/client/${folder}/target.ts`),
  'src/protocols/postgres/facts/target.ts',
  'src/tui/target.ts',
  'src/cli/target.ts',
  'src/dev/target.ts',
  'commands/login.ts',
  'scripts/target.ts',
];

/** Rule, the file that breaks it, what it imports: paths of the tree, or packages. */
const breaks: readonly (readonly [rule: string, from: string, ...imports: string[]])[] = [
  ['room-core', 'src/core/x.ts', 'src/policy/types.ts', 'src/tunnel/target.ts', 'zod', 'node:fs', 'node:crypto'],
  ['room-policy', 'src/policy/x.ts', 'src/masking/target.ts', 'src/config/target.ts', 'yaml', 'node:fs', 'ws'],
  ['room-policy-only-zod', 'src/policy/decide-x.ts', 'zod'],
  ['room-policy-only-cel-js', 'src/policy/decide-y.ts', '@marcbachmann/cel-js'],
  ['room-masking', 'src/masking/x.ts', 'src/policy/types.ts', 'src/protocols/contract.ts', 'node:crypto', 'zod'],
  ['room-protocols', 'src/protocols/x.ts', 'src/agent/target.ts', 'src/policy/decide.ts', 'node:net', 'ws'],
  [
    'room-protocols-postgres',
    'src/protocols/postgres/x.ts',
    'src/policy/decide.ts',
    'src/protocols/registry.ts',
    'src/protocols/http/x.ts',
    'src/tunnel/target.ts',
    'node:net',
    'pg',
  ],
  [
    'room-protocols-http',
    'src/protocols/http/x.ts',
    'src/policy/decide.ts',
    'src/protocols/openai/answer.ts',
    'src/protocols/postgres/session.ts',
    'node:http',
    'undici',
  ],
  [
    'room-protocols-openai',
    'src/protocols/openai/x.ts',
    'src/protocols/anthropic/answer.ts',
    'src/protocols/registry.ts',
    'node:http',
    'openai',
  ],
  [
    'room-protocols-anthropic',
    'src/protocols/anthropic/x.ts',
    'src/protocols/openai/answer.ts',
    'src/protocols/registry.ts',
    'node:http',
    '@anthropic-ai/sdk',
  ],
  [
    'room-protocols-ollama',
    'src/protocols/ollama/x.ts',
    'src/protocols/openai/answer.ts',
    'src/protocols/registry.ts',
    'node:http',
    'openai',
  ],
  ['room-protocols-postgres-only-libpg-query', 'src/protocols/postgres/parser.ts', 'libpg-query'],
  ['room-network', 'src/network/x.ts', 'src/tunnel/target.ts', 'src/identity/target.ts', 'src/policy/types.ts'],
  [
    'room-tunnel',
    'src/tunnel/x.ts',
    'src/protocols/contract.ts',
    'src/identity/target.ts',
    'src/policy/types.ts',
    'jose',
  ],
  ['room-identity', 'src/identity/x.ts', 'src/tunnel/target.ts', 'src/store/target.ts', 'src/agent/target.ts', 'ws'],
  ['room-secrets', 'src/secrets/x.ts', 'src/store/target.ts', 'src/agent/target.ts', 'pg'],
  ['room-connections', 'src/connections/x.ts', 'src/secrets/target.ts', 'src/policy/decide.ts', 'ws'],
  ['room-approvals', 'src/approvals/x.ts', 'src/policy/decide.ts', 'src/protocols/contract.ts', 'pg'],
  [
    'room-recording',
    'src/recording/x.ts',
    'src/protocols/contract.ts',
    'src/agent/target.ts',
    '@photostructure/sqlite',
  ],
  ['room-store', 'src/store/x.ts', 'src/agent/target.ts', 'src/policy/types.ts', 'pg'],
  [
    'room-config',
    'src/config/x.ts',
    'src/agent/target.ts',
    'src/masking/target.ts',
    '@oclif/core',
    '@marcbachmann/cel-js',
  ],
  [
    'room-agent',
    'src/agent/x.ts',
    'src/client/target.ts',
    'src/tui/target.ts',
    'src/cli/target.ts',
    'src/dev/target.ts',
    'commands/login.ts',
    'scripts/target.ts',
    '@oclif/core',
    'oidc-provider',
    'openid-client',
    'libpg-query',
    'yaml',
  ],
  ['room-archive', 'src/archive/x.ts', 'src/store/target.ts', 'src/secrets/target.ts', 'ws'],
  ['room-sinks', 'src/sinks/x.ts', 'src/policy/types.ts', 'src/store/target.ts', 'ws'],
  ['room-recording-only-re2js', 'src/recording/pattern.ts', 're2js'],
  ['room-agent-only-pg', 'src/agent/http/x.ts', 'pg'],
  ['room-agent-only-undici', 'src/agent/http/y.ts', 'undici'],
  ['room-agent-only-http-proxy', 'src/agent/http/z.ts', 'http-proxy'],
  [
    'room-client',
    'src/client/x.ts',
    'src/agent/target.ts',
    'src/policy/decide.ts',
    'src/masking/target.ts',
    'src/secrets/target.ts',
    'src/approvals/target.ts',
    'src/store/target.ts',
    'ws',
    'keytar',
    'jose',
  ],
  ['room-client-only-pkijs', 'src/client/certificate.ts', 'pkijs'],
  ['room-client-only-asn1js', 'src/client/encoding.ts', 'asn1js'],
  ['room-client-only-koffi', 'src/client/kernel.ts', 'koffi'],
  ['room-client-only-headless', 'src/client/emulator.ts', '@xterm/headless'],
  ['room-client-inside-child', 'src/client/child/x.ts', 'src/client/connect/target.ts'],
  ['room-client-inside-connect', 'src/client/connect/x.ts', 'src/client/replay/target.ts'],
  ['room-client-inside-login', 'src/client/login/x.ts', 'src/client/tunnels/target.ts'],
  ['room-client-inside-ports', 'src/client/ports/x.ts', 'src/client/connect/target.ts'],
  ['room-client-inside-recordings', 'src/client/recordings/x.ts', 'src/client/replay/target.ts'],
  ['room-client-inside-replay', 'src/client/replay/x.ts', 'src/client/ports/target.ts'],
  ['room-client-inside-requests', 'src/client/requests/x.ts', 'src/client/connect/target.ts'],
  ['room-client-inside-tunnels', 'src/client/tunnels/x.ts', 'src/client/ports/target.ts'],
  ['room-protocols-postgres-inside-wire', 'src/protocols/postgres/wire/x.ts', 'src/protocols/postgres/facts/target.ts'],
  ['room-tui', 'src/tui/x.ts', 'src/client/target.ts', 'src/identity/target.ts', 'node:net', 'ws'],
  [
    'room-cli',
    'src/cli/x.ts',
    'src/agent/target.ts',
    'src/tunnel/target.ts',
    'src/store/target.ts',
    'src/dev/target.ts',
    'ws',
    'zod',
  ],
  ['room-dev', 'src/dev/x.ts', 'commands/login.ts', 'scripts/target.ts', 'libpg-query'],
  [
    'room-commands',
    'commands/x.ts',
    'src/agent/target.ts',
    'src/dev/target.ts',
    'src/config/target.ts',
    'src/policy/decide.ts',
    'ws',
  ],
  ['room-commands-agent', 'commands/agent/x.ts', 'src/dev/target.ts', 'src/store/target.ts', 'pino'],
  ['room-commands-dev', 'commands/dev.ts', 'src/agent/target.ts', 'src/config/target.ts', 'oidc-provider'],
  ['room-bin', 'bin/x.js', 'src/core/target.ts', 'src/dev/target.ts', 'chalk'],
  ['no-circular', 'src/core/circle-a.ts', 'src/core/circle-b.ts'],
  ['no-unresolvable', 'src/cli/missing.ts', 'src/cli/is-not-there.ts'],
  ['no-development-packages', 'src/dev/development.ts', 'postgres'],
];

/** Imports that the table allows: none of them may be refused. */
const legal: readonly (readonly [from: string, ...imports: string[]])[] = [
  ['src/policy/schema-legal.ts', 'src/core/target.ts', 'zod', '@marcbachmann/cel-js'],
  ['src/policy/expression.ts', '@marcbachmann/cel-js', 're2js'],
  ['src/masking/legal.ts', 'src/core/target.ts', 're2js'],
  ['src/protocols/legal.ts', 'src/core/target.ts', 'src/policy/types.ts', 'src/protocols/postgres/session.ts'],
  [
    'src/protocols/postgres/facts.ts',
    'src/core/target.ts',
    'src/policy/types.ts',
    'src/masking/target.ts',
    'libpg-query',
  ],
  ['src/protocols/postgres/facts-walk.ts', 'src/protocols/contract.ts', 'libpg-query'],
  ['src/protocols/postgres/facts/walk.ts', 'src/protocols/contract.ts', 'libpg-query'],
  ['src/tunnel/legal.ts', 'src/core/target.ts', 'ws', 'node:net'],
  ['src/identity/legal.ts', 'src/core/target.ts', 'openid-client', 'jose', 'keytar', 'node:fs'],
  ['src/store/legal.ts', 'src/core/target.ts', '@photostructure/sqlite'],
  ['src/config/legal.ts', 'src/policy/schema.ts', 'yaml', 'zod', 'node:fs'],
  [
    'src/agent/legal.ts',
    'src/protocols/registry.ts',
    'src/store/target.ts',
    'src/policy/decide.ts',
    'ws',
    'pino',
    'node:net',
  ],
  ['src/agent/fronts/postgres/catalog.ts', 'src/core/target.ts', 'pg'],
  ['src/client/legal.ts', 'src/identity/target.ts', 'src/tunnel/target.ts', 'src/protocols/contract.ts', 'node:net'],
  ['src/client/connect/legal.ts', 'src/client/target.ts', 'src/client/ports/target.ts', 'src/core/target.ts'],
  ['src/cli/legal.ts', 'src/policy/decide.ts', 'src/recording/target.ts', '@oclif/core', 'chalk'],
  ['src/dev/legal.ts', 'src/agent/target.ts', 'src/client/target.ts', 'oidc-provider', '@electric-sql/pglite'],
  ['commands/legal.ts', 'src/cli/target.ts', 'src/client/target.ts', '@oclif/core', 'node:process'],
  ['commands/agent/start.ts', 'src/agent/target.ts', 'src/config/target.ts', 'src/cli/target.ts'],
];

function importOf(from: string, target: string): string {
  if (!/\.ts$/.test(target)) return target;
  const up = relative(from.replace(/\/[^/]*$/, ''), target.replace(/\.ts$/, '.js'));
  return up.startsWith('.') ? up : `./${up}`;
}

const source = (from: string, imports: readonly string[], form: string): string =>
  imports
    .map((target, index) => form.replace('$name', `i${String(index)}`).replace('$from', importOf(from, target)))
    .join('\n');

/** Did the checker name the rule for this very import? A package is found under its folder in node_modules. */
function names(broken: readonly BrokenImport[], rule: string, from: string, target: string): boolean {
  const wanted = target.replace(/^node:/, '');
  return broken.some(
    (entry) =>
      entry.rule === rule &&
      entry.from === from &&
      (entry.to === wanted || entry.to.includes(`node_modules/${wanted}/`) || entry.to === importOf(from, target)),
  );
}

describe('import rules', () => {
  let tree: PlantedTree;
  let broken: readonly BrokenImport[];

  beforeAll(async () => {
    tree = plantTree(['package.json', 'tsconfig.json']);
    for (const path of targets) tree.write(path, 'export const target = 1;\n');
    tree.write('src/protocols/http/x.ts', 'export const target = 1;\n');
    for (const [, from, ...imports] of breaks)
      tree.write(from, `${source(from, imports, "export * as $name from '$from';")}\n`);
    for (const [from, ...imports] of legal)
      tree.write(from, `${source(from, imports, "export * as $name from '$from';")}\n`);
    tree.write('src/masking/by-type.ts', "import type { a } from '../policy/types.js';\nexport type B = typeof a;\n");
    tree.write('src/masking/by-call.ts', "export const late = await import('../policy/types.js');\n");
    tree.write('src/masking/by-type-call.ts', "export type B = import('../policy/types.js').A;\n");
    tree.write('src/core/circle-b.ts', "export * as a from './circle-a.js';\n");
    tree.write('src/garden/shed.ts', 'export const target = 1;\n');
    broken = await brokenImports(tree.root);
  });

  afterAll(() => {
    tree.remove();
  });

  it.each(breaks.flatMap(([rule, from, ...imports]) => imports.map((target) => [rule, from, target] as const)))(
    '%s refuses that %s imports %s',
    (rule, from, target) => {
      expect(names(broken, rule, from, target), JSON.stringify(broken.filter((entry) => entry.from === from))).toBe(
        true,
      );
    },
  );

  it.each(legal.map(([from]) => from))('lets %s import what the table allows', (from) => {
    expect(broken.filter((entry) => entry.from === from)).toEqual([]);
  });

  it.each(['by-type', 'by-call', 'by-type-call'])('sees an import written %s', (name) => {
    expect(names(broken, 'room-masking', `src/masking/${name}.ts`, 'src/policy/types.ts')).toBe(true);
  });

  it('refuses a file outside of every room', () => {
    expect(broken.filter((entry) => entry.from === 'src/garden/shed.ts').map((entry) => entry.rule)).toContain(
      'every-file-has-a-room',
    );
  });

  it('has a planted break for every rule, and a reason in each', () => {
    const planted = new Set(breaks.map(([rule]) => rule));
    expect(config.forbidden.map((rule) => rule.name).filter((name) => !planted.has(name))).toEqual([]);
    expect(config.forbidden.filter((rule) => rule.comment.length < 20)).toEqual([]);
  });
});
