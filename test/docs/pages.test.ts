import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { BUILT_IN_ENTITY_NAMES } from '../../src/masking/text-masker.js';
import { load, resource } from '../config/config-fixtures.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FENCE = /^[ \t]*```(\w*)[^\n]*\n(.*?)^[ \t]*```$/gms;

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

function blocks(): Block[] {
  const pages = [
    'README.md',
    ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
  ];
  return pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => {
      const text = readFileSync(join(ROOT, page), 'utf8');
      return [...text.matchAll(FENCE)].map(({ index, 1: language = '', 2: body = '' }) => ({
        page,
        line: text.slice(0, index).split('\n').length,
        language,
        text: body.replace(new RegExp(`^${/^[ ]*/.exec(body)?.[0] ?? ''}`, 'gm'), ''),
      }));
    });
}

/** What other programs read: hoop only stands in it. */
const FOREIGN = /^(?:docs\/identity\/(?:github-actions|gitlab|kubernetes)|docs\/ci)\.md$/;
const FLOWS = ['dba-review', 'sales', 'db-access'];
const SINKS = ['security-hook'];
const PROVIDERS = ['corp'];
const ENV = {
  SLACK_WEBHOOK: 'https://hooks.example.com/x',
  HOOP_ISSUER: 'https://id.example.com',
  HOOP_CLIENT: 'hoop-cli',
};
const CONNECTION =
  'type: postgres\naddress: 10.0.0.5:5432\ndatabase: shop\naccess: { groups: [engineering] }\ncredentials: [{ groups: ["*"], username: a }]\n';
const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

/** The resource that a piece of one is a part of; undefined where it is none. */
function wholeOf(text: string): string | undefined {
  const [key = ''] = /^[\w-]+/m.exec(text) ?? [];
  switch (text.startsWith('- ') ? 'rules' : key) {
    case 'apiVersion':
      return text;
    case 'rules':
      return resource('Policy', 'p', `  rules:\n${indented(text)}`);
    case 'mask':
    case 'limits':
      return resource('Policy', 'p', indented(text));
    case 'tests':
      // Of rules and masks that stand in other blocks.
      return resource('Policy', 'p', indented(text.replaceAll(/, (?:rule|mask): [\w-]+/g, '')));
    case 'credentials':
    case 'access':
    case 'rotation':
      return resource('Connection', 'c', indented(CONNECTION.replace(new RegExp(`^${key}:.*\n`, 'm'), '') + text));
    case 'mappings':
    case 'introspection':
    case 'userinfo':
      return resource('IdentityProvider', 'i', indented(`issuer: https://id.example.com\naudience: hoop\n${text}`));
    case 'condition':
      return resource('ApprovalFlow', 'f', indented(`reviewers: [{ groups: [dba] }]\n${text}`));
    case 'spec': {
      const spec = text.replace(/^spec:\n/, '');
      if (/^ {2}record:/m.test(spec)) return resource('Connection', 'c', indented(CONNECTION) + spec);
      return resource('Agent', 'a', spec + (spec.includes('masterKey') ? '' : '  masterKey: { env: KEY }\n'));
    }
    default:
      return undefined;
  }
}

async function faultsOf(yaml: string): Promise<readonly string[]> {
  const named = (kind: string, names: readonly string[], spec: string): string =>
    names
      .filter((name) => !new RegExp(`kind: ${kind}\nmetadata: \\{ name: ${name}`).test(yaml))
      .map((name) => resource(kind, name, spec))
      .join('---\n');
  const files = {
    [yaml.includes('kind: PolicyTest') ? 'page.test.yaml' : 'page.yaml']: yaml,
    'flows.yaml': named('ApprovalFlow', FLOWS, '  reviewers: [{ groups: [x] }]\n'),
    'providers.yaml': named('IdentityProvider', PROVIDERS, '  issuer: https://corp.example.com\n  audience: hoop\n'),
    'sinks.yaml': named('Sink', SINKS, '  type: file\n  path: ./x\n  events: [session.end]\n'),
  };
  return (await load(files, ENV, { tests: true, entityNames: BUILT_IN_ENTITY_NAMES })).faults;
}

describe('every YAML block of docs and README', () => {
  const yaml = blocks().filter(({ language }) => language === 'yaml');

  it.each(yaml.map((block) => [`${block.page}:${String(block.line)}`, block] as const))(
    '%s is what hoop reads',
    async (_at, block) => {
      const text = block.text.replaceAll(/^# yaml-language-server.*\n?/gm, '');
      if (text.trim() === '') return;
      // Several ways to say one thing, a line each.
      const pieces = /^masterKey:/.test(text) ? text.trim().split('\n') : [text];
      for (const piece of pieces) {
        const whole = piece.startsWith('masterKey:') ? resource('Agent', 'a', `  ${piece}\n`) : wholeOf(piece);
        if (whole === undefined || (FOREIGN.test(block.page) && !piece.includes('apiVersion: hoop/v1'))) {
          expect(block.page).toMatch(FOREIGN);
          expect(parseAllDocuments(piece).flatMap(({ errors }) => errors)).toEqual([]);
        } else expect(await faultsOf(whole)).toEqual([]);
      }
    },
  );

  it('are some', () => {
    expect(yaml.length).toBeGreaterThan(25);
  });
});

type Flags = Readonly<Record<string, { readonly char?: string; readonly aliases?: readonly string[] }>>;
type CommandClass = typeof Command & { readonly flags: Flags; readonly baseFlags: Flags };

async function commandOf(
  words: readonly string[],
): Promise<{ readonly found: CommandClass; readonly depth: number } | undefined> {
  for (const depth of [2, 1]) {
    const id = words.slice(0, depth).join('/');
    if (!/^[a-z/-]+$/.test(id)) continue;
    const name = COMMANDS.find((file) => file === `${id}.ts` || file === `${id}.tsx`);
    if (name === undefined) continue;
    return { found: ((await import(join(ROOT, 'commands', name))) as { default: CommandClass }).default, depth };
  }
  return undefined;
}

const COMMANDS = readdirSync(join(ROOT, 'commands'), { recursive: true, encoding: 'utf8' });
const SHORT_NAMES: Readonly<Record<string, string>> = { ls: 'connections' };

/** The commands of hoop in a block, as words; what stands in quotes is one. */
function hoopCommands(text: string): string[][] {
  return text
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('hoop ') && !line.startsWith('hoop ()'))
    .map((line) =>
      [...line.replace(/\s+#.*$/, '').matchAll(/"[^"]*"|'[^']*'|[^\s"']+/g)].map(([word]) => word).slice(1),
    );
}

describe('every command of hoop in docs and README', () => {
  const commands = blocks()
    .filter(({ language }) => language === 'sh' || language === 'yaml')
    .flatMap((block) => hoopCommands(block.text).map((words) => ({ block, words })));

  it('is one, with flags that it has', async () => {
    for (const { block, words } of commands) {
      const at = `${block.page}:${String(block.line)}: hoop ${words.join(' ')}`;
      const [first = '', ...more] = words;
      const command = await commandOf([SHORT_NAMES[first] ?? first, ...more]);
      expect(command, at).toBeDefined();
      if (command === undefined) continue;
      const { found, depth } = command;
      const flags = { ...found.baseFlags, ...found.flags };
      const known = Object.entries(flags).flatMap(([name, { char, aliases = [] }]) => [
        ...[name, ...aliases].flatMap((one) => [`--${one}`, `--no-${one}`]),
        ...(char === undefined ? [] : [`-${char}`]),
      ]);
      const end = words.indexOf('--');
      const own = words.slice(depth, end < 0 ? undefined : end);
      for (const word of own.filter((one) => /^--?[a-z]/.test(one)))
        expect([...known, '--help', '-h'], at).toContain(word.replace(/=.*$/, ''));
    }
    expect(commands.length).toBeGreaterThan(60);
  });
});
