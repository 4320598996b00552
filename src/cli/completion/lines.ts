import type { AgentApi } from '../../client/agent-api.js';
import { connectionNames } from '../../client/connect/connection-names.js';
import { listProfiles, type Profile } from '../../client/login/profile.js';
import { escapeControls } from '../../core/display.js';
import { cacheFolder } from '../code-cache.js';
import { type Candidate, candidatesFor, type CompletedCommand } from './candidates.js';

export interface GlobalFlags {
  readonly agent?: string | undefined;
  readonly profile?: string | undefined;
}

export interface CompletionOptions {
  readonly commands: readonly CompletedCommand[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The agent that the line names, with the caller's token; throws where none is known. */
  readonly open: (flags: GlobalFlags) => { readonly profile: Profile; readonly api: Pick<AgentApi, 'get'> };
}

/** The lines that a shell's script reads: a candidate, a tab and its meaning; or `:files`, `:command`. */
export async function completionLines(
  typed: readonly string[],
  options: CompletionOptions,
): Promise<readonly string[]> {
  const candidates = candidatesFor(typed, options.commands);
  switch (candidates.kind) {
    case 'files':
    case 'command':
      return [`:${candidates.kind}`];
    case 'words':
      return candidates.words.map(line);
    case 'names': {
      const current = (typed.at(-1) ?? '').replace(/^(--[^=]*)?=/, '');
      const names = candidates.of === 'profile' ? profiles(options) : await connections(typed, options);
      return names
        .filter(({ word }) => word.startsWith(current))
        .map(({ word, meaning }) => line({ word: candidates.before + word, meaning }));
    }
  }
}

function line({ word, meaning }: Candidate): string {
  const rendered = (meaning.split('\n')[0] ?? '').replaceAll('<%= config.bin %>', 'hoop');
  return `${escapeControls(word)}\t${escapeControls(rendered)}`;
}

async function connections(typed: readonly string[], { env, open }: CompletionOptions): Promise<readonly Candidate[]> {
  try {
    const { profile, api } = open({ agent: valueOf('agent', typed), profile: valueOf('profile', typed) });
    const names = await connectionNames({ folder: cacheFolder(env), owner: profile, api, nowMs: () => Date.now() });
    return names.map(({ name, type }) => ({ word: name, meaning: type }));
  } catch {
    return [];
  }
}

function profiles({ env }: CompletionOptions): readonly Candidate[] {
  try {
    return listProfiles(env).map(({ name, agent }) => ({ word: name, meaning: agent }));
  } catch {
    return [];
  }
}

/** The value that the line gives a global flag. */
function valueOf(name: string, typed: readonly string[]): string | undefined {
  const at = typed.indexOf(`--${name}`);
  if (at !== -1) return typed[typed[at + 1] === '=' ? at + 2 : at + 1];
  return typed.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
}
