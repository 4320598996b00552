import { CuttingProxy } from '../../test/support/cutting-proxy.js';
import type { ScreenStage } from '../../test/support/screens.js';
import type { Terminal } from '../../test/support/terminal.js';
import { page, type Part } from './page.js';
import { confirm, PATIENCE_S } from './reviewer.js';

const BELLA = { subject: 'bella', groups: ['engineering'] };
const DANA = { subject: 'dana', groups: ['dba'] };
const REPAIR = "UPDATE contacts SET email = 'ann@example.com' WHERE id = 1;";

/** All that a request may come to besides being approved once. */
export async function decisions(stage: ScreenStage): Promise<string> {
  const proxy = await CuttingProxy.open(() => Number(new URL(stage.agent.agent.url).port));
  try {
    const env = { HOOP_AGENT_URL: proxy.url };
    const bella = await stage.terminal(BELLA, 'connect postgres -- psql -X', { columns: 100 });
    const dana = await stage.terminal(DANA, 'approve', { columns: 100, env });
    await Promise.all([bella.shows(/=> ?$/m, PATIENCE_S), dana.shows(/● live/, PATIENCE_S)]);
    const parts: Part[] = [];
    for (const part of [denied, forATime, withdrawn, expired]) parts.push(...(await part(bella, dana)));
    parts.push(...(await broken(proxy, dana)), ...(await access(stage, dana)));
    dana.resize(60, 20);
    parts.push(['A small terminal has one pane: `Tab` goes from the list to the text.', await still(dana)]);
    return page('What becomes of a request', 'Bella at `psql`, Dana at `hoop approve`.', parts);
  } finally {
    await proxy.close();
  }
}

async function denied(bella: Terminal, dana: Terminal): Promise<readonly Part[]> {
  bella.line(REPAIR);
  await dana.shows(/1 waits for you/, PATIENCE_S);
  dana.type('Tab', 'PageDown');
  const tried = await dana.shows(/rolled back[^]*after/, PATIENCE_S);
  dana.type('Home', 'Tab', 'd');
  await dana.shows(/deny, because/, PATIENCE_S);
  dana.text('the address is wrong');
  const typed = await dana.shows(/address is wrong/, PATIENCE_S);
  dana.type('Enter');
  const told = await bella.shows(/ERROR: +approval denied by dana[^]*=> ?$/m, PATIENCE_S);
  return [
    ['The flow says `preview: true`: Dana need not ask what the statement would do. Values are masked.', tried],
    ['She denies it, and says why.', typed],
    ['Bella reads that in her own client; the session goes on.', told],
  ];
}

async function forATime(bella: Terminal, dana: Terminal): Promise<readonly Part[]> {
  bella.type('C-l');
  bella.line(REPAIR);
  await dana.shows(/statement 2 +waits/, PATIENCE_S);
  dana.type('t');
  await dana.shows(/for how long/, PATIENCE_S);
  dana.text('30m');
  dana.type('Enter');
  const asked = await dana.shows(/for 30m/, PATIENCE_S);
  await confirm(dana);
  await bella.shows(/UPDATE 1/, PATIENCE_S);
  bella.line(REPAIR);
  const again = await bella.shows(/UPDATE 1[^]*UPDATE 1/, PATIENCE_S);
  return [
    ['Approved for half an hour.', asked],
    ['The same statement runs again without waiting.', again],
  ];
}

async function withdrawn(bella: Terminal, dana: Terminal): Promise<readonly Part[]> {
  bella.type('C-l');
  bella.line("UPDATE contacts SET ssn = '' WHERE id = 2;");
  await bella.shows(/waiting for approval/, PATIENCE_S);
  await dana.shows(/statement 4 +waits/, PATIENCE_S);
  bella.type('C-c');
  await bella.shows(/canceling statement[^]*=> ?$/m, PATIENCE_S);
  return [
    ['Bella presses Ctrl-C while she waits. Her client is told what any server would tell it,', bella.seen],
    ['and nobody has to decide any more.', await dana.shows(/cancelled/, PATIENCE_S)],
  ];
}

async function expired(bella: Terminal, dana: Terminal): Promise<readonly Part[]> {
  bella.type('C-l');
  bella.line("UPDATE customers SET name = 'Ann L.' WHERE id = 1;");
  const told = await bella.shows(/not given in time/, PATIENCE_S);
  const over = await dana.shows(/expired/, PATIENCE_S);
  return [
    ['Nobody decides in time.', told],
    ['Dana sees that it is over.', over],
  ];
}

async function broken(proxy: CuttingProxy, dana: Terminal): Promise<readonly Part[]> {
  proxy.refuse(true);
  proxy.cut();
  const lost = await dana.shows(/not connected/, PATIENCE_S);
  proxy.refuse(false);
  await dana.shows(/● live/, PATIENCE_S);
  return [['The agent can not be reached for a moment. The screen says so, and comes back by itself.', lost]];
}

async function access(stage: ScreenStage, dana: Terminal): Promise<readonly Part[]> {
  const command = 'connect ledger --duration 30m --reason "OPS-17: month end" -- psql -X';
  const carol = await stage.terminal({ subject: 'carol', groups: ['engineering'] }, command, { columns: 100 });
  const asked = await dana.shows(/access for 30m|access to ledger/, PATIENCE_S);
  const waits = carol.seen;
  dana.type('a');
  await confirm(dana);
  await carol.shows(/=> ?$/m, PATIENCE_S);
  const { body } = await stage.agent.call('/v1/grants?mine=true', {
    token: await stage.agent.token({ subject: 'carol' }),
  });
  const [grant] = body as readonly { readonly id: string }[];
  const revoking = await stage.terminal(DANA, `revoke ${grant?.id ?? ''} --reason "month end is over"`);
  await revoking.shows(/ended with 0/, PATIENCE_S);
  carol.line('SELECT 1;');
  const ended = await carol.shows(/month end is over/, PATIENCE_S);
  return [
    ['Carol asks for access to a connection, and waits.', waits],
    ['Dana reads it as any request.', asked],
    ['She approves it, and later revokes it: what runs under it ends at once.', ended],
  ];
}

/** The screen once it has been drawn anew. */
async function still(terminal: Terminal): Promise<string> {
  await terminal.shows(/hoop approve/, PATIENCE_S);
  for (let before = ''; before !== terminal.seen;) {
    before = terminal.seen;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return terminal.seen;
}
