import { Flags } from '@oclif/core';
import { HoopCommand } from '../../src/cli/base-command.js';
import { exportEvidence } from '../../src/client/audit.js';
import { instantOf } from '../../src/client/instant.js';

export default class AuditExport extends HoopCommand {
  static override summary = 'Write the evidence of a span of time, which verifies on its own';
  static override description =
    'Recordings, decisions, approvals, the policies in force, checkpoints, who read what, the public key, and a page for the auditor. For auditors and administrators; every recording in it counts as read by you. `hoop verify` proves it.';
  static override examples = [
    '<%= config.bin %> audit export --from 2026-10-01 --to 2026-11-01',
    '<%= config.bin %> audit export --from 7d --out evidence',
  ];
  static override flags = {
    from: Flags.string({
      required: true,
      description: 'sessions that started at or after: a time, a day, or how long ago (7d)',
      helpValue: 'TIME',
    }),
    to: Flags.string({ description: 'and before; now where left out', helpValue: 'TIME' }),
    out: Flags.string({ description: 'an archive that ends in .tar, or a new folder', helpValue: 'FILE|FOLDER' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditExport);
    const nowMs = Date.now();
    const from = instantOf(flags.from, nowMs);
    const to = flags.to === undefined ? new Date(nowMs).toISOString() : instantOf(flags.to, nowMs);
    if (!this.jsonEnabled()) this.say(`exporting sessions from ${from} until ${to}`);
    const path = await exportEvidence({ agent: this.agentApi(), from, to, out: flags.out });
    if (this.jsonEnabled()) return this.printJson({ path, from, to });
    this.print(this.colours.plain(path));
    this.say(`\`hoop verify ${this.messageColours.plain(path)}\` proves it`);
  }
}
