import { Args, Flags } from '@oclif/core';
import { HoopCommand } from '../src/cli/base-command.js';
import { connectOutput } from '../src/cli/connect-output.js';
import { correlationFlag } from '../src/cli/correlation-flag.js';
import { runOf } from '../src/client/correlation.js';
import { connect, listenFrom, refuseSharedStdout, splitCommand } from '../src/client/connect/connect.js';

export default class Connect extends HoopCommand {
  static override summary = 'Open a local port for each connection until Ctrl-C';
  static override description =
    'Programs use the port without a password; only your own operating-system user gets in. With `-- COMMAND`, the command runs with the environment of the connections, and the ports end with it.';
  static override examples = [
    '<%= config.bin %> connect postgres',
    '<%= config.bin %> connect postgres --port 5433',
    '<%= config.bin %> connect postgres -- psql',
  ];
  static override usage = 'connect CONNECTION... [FLAGS] [-- COMMAND...]';
  static override strict = false;
  static override args = {
    connection: Args.string({ required: true, description: 'connection to open; several may be named' }),
  };
  static override flags = {
    port: Flags.integer({ description: 'local port; otherwise the one used the first time', min: 1, max: 65_535 }),
    host: Flags.string({ description: 'loopback address to listen on', default: '127.0.0.1' }),
    socket: Flags.string({ description: 'listen on a unix socket of mode 0600 instead', helpValue: 'PATH' }),
    reason: Flags.string({ description: 'why, for reviewers and the record' }),
    'correlation-id': correlationFlag,
    'print-env': Flags.boolean({ description: 'print `export` lines once the ports are open' }),
    plain: Flags.boolean({ description: 'lines instead of a screen' }),
    tls: Flags.boolean({ description: 'offer TLS on the ports to clients that ask for it' }),
    password: Flags.boolean({
      description: 'want a password (HTTP: a key) made for these ports, and take it from any user of this machine',
    }),
    duration: Flags.string({ description: 'ask for access for so long where it is needed, and wait', helpValue: '2h' }),
    'no-wait': Flags.boolean({
      description: 'with --duration: print the request’s id and end',
      dependsOn: ['duration'],
    }),
  };

  async run(): Promise<void> {
    const { own, command } = splitCommand(this.argv);
    const { flags, argv } = await this.parse(Connect, own);
    const json = this.jsonEnabled();
    refuseSharedStdout({ json, command, printEnv: flags['print-env'] });
    const connections = argv as string[];
    const plain = command !== undefined || flags['print-env'] || flags.plain;
    const api = this.agentApi();
    const output = await connectOutput(api, { json, plain, colours: this.colours.enabled });
    this.speak = output.say;
    const { duration } = flags;
    const status = await connect({
      ask: duration === undefined ? undefined : { api, duration, wait: !flags['no-wait'], asked: this.askedFor() },
      access: {
        api,
        token: () => this.accessToken(),
        loggedOut: (ended) => this.loginEnded(ended),
        caFile: process.env['HOOP_CA_FILE'],
        reason: flags.reason,
        ...runOf(flags['correlation-id'], process.env),
      },
      connections,
      listen: listenFrom(flags, connections.length, this.profile()),
      password: flags.password,
      report: output.report,
      stop: output.stop,
      printEnv: flags['print-env'] ? (lines) => process.stdout.write(lines) : undefined,
      command,
      complain: output.say,
    }).finally(output.close);
    this.exit(status);
  }
}
