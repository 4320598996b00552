import { writeFile } from 'node:fs/promises';
import { shellWord } from './dev-text.js';
import { HOOP_PROGRAM } from './hoop-program.js';
import type { TrialStack } from './trial-stack.js';

/** Who there is besides the people: a CI job. */
const MACHINE = 'ci';

/** Where the file of somebody stands, that makes a terminal theirs: `source alice.sh`. */
export function shellFile(stack: Pick<TrialStack, 'configDir'>, user: string): string {
  return `${stack.configDir(user)}.sh`;
}

/** Writes a file for each person and for the machine, which a POSIX shell sources: the word `hoop`, and whose it is. */
export async function writeShellFiles(stack: TrialStack): Promise<void> {
  const { clientId, clientSecret } = stack.machine;
  for (const user of [...stack.users.map(({ id }) => id), MACHINE]) {
    const variables = [
      `HOOP_AGENT_URL=${stack.agentUrl}`,
      'HOOP_KEYRING=file',
      `HOOP_CONFIG_DIR=${shellWord(stack.configDir(user))}`,
      ...(user === MACHINE ? [`HOOP_CLIENT_ID=${clientId}`, `HOOP_CLIENT_SECRET=${clientSecret}`] : []),
    ];
    const lines = [
      // An alias of the same name would be put in the place of the function's.
      'unalias hoop 2>/dev/null || true',
      `hoop() { node ${shellWord(HOOP_PROGRAM)} "$@"; }`,
      ...variables.map((variable) => `export ${variable}`),
    ];
    await writeFile(shellFile(stack, user), `${lines.join('\n')}\n`, { mode: 0o600 });
  }
}
