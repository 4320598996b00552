import { HoopCommand } from '../../src/cli/base-command.js';
import { profileLines } from '../../src/client/login/profile-list.js';

export default class ProfileList extends HoopCommand {
  static override summary = 'List the profiles: each is one agent and the login there';
  static override description =
    'A profile is made by `hoop login AGENT_URL --profile NAME`. Without --profile and HOOP_PROFILE the current one is used.';
  static override examples = ['<%= config.bin %> profile list', '<%= config.bin %> profile list --json'];

  async run(): Promise<void> {
    await this.parse(ProfileList);
    this.printList(
      profileLines(process.env),
      [
        { header: '', value: ({ current }) => (current ? '*' : '') },
        { header: 'name', value: ({ name }) => name },
        { header: 'agent', value: ({ agent }) => agent },
        { header: 'login', value: ({ loggedIn }) => (loggedIn ? 'yes' : 'no') },
      ],
      { empty: 'No profiles yet: run `hoop login AGENT_URL`.' },
    );
  }
}
