import { Args, Flags } from '@oclif/core';
import { CUT_SHORT, HoopCommand } from '../src/cli/base-command.js';
import { correlationFlag } from '../src/cli/correlation-flag.js';
import { runOf } from '../src/client/correlation.js';
import { splitCommand } from '../src/client/connect/connect.js';
import { formatFrom, FORMATS } from '../src/client/exec/exec-run.js';
import type { Access } from '../src/client/connect/open-connections.js';

export default class Exec extends HoopCommand {
  static override summary = 'Run SQL, a request or a command against a connection, once, for scripts and CI';
  static override description =
    'SQL of -i, -f or standard input is run statement by statement; the first error ends it, and names line and column. Rows of COPY FROM STDIN stand behind it in the script, or with -i come from standard input. For a model API the text is the JSON of a request, and the text of the answer is printed as it comes; for any HTTP connection it may begin with METHOD /PATH, headers and an empty line. With `-- COMMAND`, the command runs with the environment of a fresh local port, and its exit code is returned. Exit 4: no access, 5: blocked by policy, 6: approval denied, 7: not approved in time, 8: agent or server not reached, 1: any other failure.';
  static override examples = [
    '<%= config.bin %> exec postgres -i "SELECT 1"',
    '<%= config.bin %> exec postgres -f report.sql -o csv',
    '<%= config.bin %> exec postgres --single-transaction -f migration.sql',
    `<%= config.bin %> exec postgres -i 'COPY prices FROM STDIN (FORMAT csv)' < prices.csv`,
    '<%= config.bin %> exec postgres -- psql -c "SELECT 1"',
    `<%= config.bin %> exec openai -i '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}],"stream":true}'`,
    `<%= config.bin %> exec crm -i 'GET /customers/42'`,
    '<%= config.bin %> exec openai -- python app.py',
  ];
  static override usage = 'exec CONNECTION [FLAGS] [-- COMMAND...]';
  static override args = { connection: Args.string({ required: true, description: 'connection to use' }) };
  static override flags = {
    input: Flags.string({ char: 'i', description: 'SQL to run, or request to send', helpValue: 'TEXT' }),
    file: Flags.string({ char: 'f', description: 'file that holds it; - is standard input', helpValue: 'FILE' }),
    output: Flags.option({
      char: 'o',
      description: 'format of the result; without: a table, or what an HTTP connection answers',
      options: FORMATS,
      aliases: ['format'],
    })(),
    wait: Flags.string({
      description: 'longest wait for an approval, e.g. 10m; asks for access too where the connection needs it',
      helpValue: 'DURATION',
    }),
    'single-transaction': Flags.boolean({ description: 'all statements or none' }),
    reason: Flags.string({ description: 'why, for reviewers and the record' }),
    'correlation-id': correlationFlag,
  };

  protected override unreadStatus = CUT_SHORT;

  async run(): Promise<void> {
    const { own, command } = splitCommand(this.argv);
    const { flags, args } = await this.parse(Exec, own);
    const api = this.agentApi();
    const access: Access = {
      api,
      token: () => this.accessToken(),
      loggedOut: (ended: AbortSignal) => this.loginEnded(ended),
      caFile: process.env['HOOP_CA_FILE'],
      reason: flags.reason,
      ...runOf(flags['correlation-id'], process.env),
    };
    const say = (line: string): void => {
      this.say(line);
    };
    const { connection } = args;
    // Loaded apart: the driver and the printers of results are not needed to run a command, which shall start fast.
    if (command !== undefined) {
      const { execChild, refuseSqlFlags } = await import('../src/client/exec/exec-child.js');
      refuseSqlFlags(flags);
      this.exit(await execChild({ access, api, connection, command, say, wait: flags.wait }));
    }
    const { execText } = await import('../src/client/exec/exec-text.js');
    await execText({
      access,
      api,
      connection,
      source: { text: flags.input, file: flags.file, stdin: process.stdin },
      format: formatFrom(flags.json, flags.output),
      singleTransaction: flags['single-transaction'],
      wait: flags.wait,
      stdout: process.stdout,
      say,
    });
  }
}
