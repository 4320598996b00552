import { Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { agentVersion, type AgentVersion } from '../src/client/agent-version.js';
import { HoopError } from '../src/core/errors.js';

export default class Version extends HoopCommand {
  static override summary = 'Print the version of hoop and of the agent, and whether they differ';
  static override description =
    'The agent is asked where one is known; one that does not answer is said on stderr and is no failure.';
  static override examples = [
    '<%= config.bin %> version',
    '<%= config.bin %> version --client',
    '<%= config.bin %> version --json',
  ];
  static override flags = {
    client: Flags.boolean({ description: 'this program’s version alone: asks no agent' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Version);
    const { version, platform, arch } = this.config;
    const url = flags.client ? undefined : this.#agentUrl();
    const agent = url === undefined ? undefined : await agentVersion(url, version, process.env['HOOP_CA_FILE']);
    if (this.jsonEnabled()) {
      this.printJson({ version, node: process.versions.node, platform, arch, agent: agent ?? null });
      return;
    }
    this.print(`hoop ${version} (node ${process.versions.node}, ${platform} ${arch})`);
    if (agent !== undefined) this.#tell(agent);
  }

  #tell({ url, version, is, error }: AgentVersion): void {
    if (version === null) this.say(this.messageColours.plain(`agent at ${url}: ${error ?? ''}`));
    else this.print(this.colours.plain(`agent ${version} at ${url}${is === null ? '' : ` (${is})`}`));
  }

  /** Undefined where no agent is known: then there is none to ask. */
  #agentUrl(): string | undefined {
    try {
      return this.profile().agentUrl;
    } catch (error) {
      if (error instanceof HoopError && error.code === 'config_missing') return undefined;
      throw error;
    }
  }
}
