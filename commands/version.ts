import { HoopCommand } from '../src/cli/base-command.js';

export default class Version extends HoopCommand {
  static override summary = 'Print the version of hoop, of Node and of the platform';
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --json'];

  async run(): Promise<void> {
    await this.parse(Version);
    const { version, platform, arch } = this.config;
    if (this.jsonEnabled()) this.printJson({ version, node: process.versions.node, platform, arch });
    else this.print(`hoop ${version} (node ${process.versions.node}, ${platform} ${arch})`);
  }
}
