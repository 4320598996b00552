import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs one command file as a process of its own, from source, against an agent, as a person whose
 * token is their name; with a configuration folder that nothing else uses.
 */
export function runCommand(file: string, args: readonly string[], agentUrl: string, token: string): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'hoop-command-'));
  const script = `const { default: Command } = await import(${JSON.stringify(join(ROOT, 'commands', file))});
    await Command.run(process.argv.slice(1), ${JSON.stringify(ROOT)}).catch(async (error) => (await import('@oclif/core')).handle(error));`;
  const env = { PATH: process.env['PATH'], HOOP_CONFIG_DIR: folder, HOOP_AGENT_URL: agentUrl, HOOP_TOKEN: token };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script, '--', ...args],
      { cwd: ROOT, env },
      (error, stdout, stderr) => {
        rmSync(folder, { recursive: true });
        resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}
