import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { ChainedEvent, RecordedEvent } from '../../src/core/events.js';
import type { EntrySource, ReplayEntry } from '../../src/recording/replay/entry.js';
import { grouped } from '../../src/recording/replay/groups.js';
import { writeHtml } from '../../src/recording/replay/html.js';
import { isInstalled } from '../support/installed.js';
import { END, request, sessionId, start, statement } from './recorded-session.js';
import { makeFolder } from '../support/folders.js';

const folder = makeFolder('html');

type Told = RecordedEvent & { source?: EntrySource };

async function* entries(events: readonly Told[]): AsyncGenerator<ReplayEntry> {
  for (const [index, { source, ...event }] of events.entries()) {
    await Promise.resolve();
    const at = `2026-11-21T04:30:44.${String(100 + index)}000Z`;
    const chained = { prev: '', hash: '', ...event, seq: index + 1, at } as ChainedEvent;
    yield source === undefined ? { event: chained } : { event: chained, source };
  }
}

async function page(events: readonly Told[]): Promise<string> {
  const parts: string[] = [];
  await writeHtml(grouped(entries(events)), { title: 'Session <b>1</b>', write: (html) => parts.push(html) });
  return parts.join('\n');
}

/** What a browser makes of a page, from a file and without a network. */
async function inBrowser(html: string): Promise<string> {
  const file = join(folder, `${sessionId()}.html`);
  writeFileSync(file, html);
  const { stdout } = await promisify(execFile)(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--virtual-time-budget=2000',
      `--user-data-dir=${mkdtempSync(join(folder, 'profile-'))}`,
      '--dump-dom',
      pathToFileURL(file).href,
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  return stdout;
}

const EVIL = `</pre></article><script>document.title='owned'</script><img src=x onerror="document.title='owned'">'"\u202e\u001b]0;x\u0007`;

describe('a session as a page', () => {
  it.skipIf(!isInstalled('chromium'))(
    'reads well in a browser: who, verdicts, approval, rows, timing; data stays text',
    async () => {
      const held = sessionId();
      const html = await page([
        { ...start(), correlationId: EVIL },
        { type: 'statement', statement: 1, text: EVIL, via: 'execute', params: [EVIL, null] },
        { type: 'decision', statement: 1, action: 'approve', rules: ['p/payments'], policyHash: '' },
        { type: 'approval.requested', statement: 1, request: held, flow: 'dba' },
        {
          type: 'approval.resolved',
          statement: 1,
          request: held,
          outcome: 'approved',
          by: 'bob@example.com',
          reason: EVIL,
        },
        {
          type: 'output',
          statement: 1,
          columns: ['id', EVIL],
          rows: [
            ['7', null],
            [EVIL, 'x'],
          ],
          totalRows: 9,
        },
        { type: 'result', statement: 1, tag: 'SELECT 9', rows: 9, masked: { email: 2 }, durationMs: 1.5 },
        ...statement(2, 'DELETE FROM customers', 'block'),
        { type: 'statement', statement: 3, text: 'SELECT 1/0', via: 'query' },
        { type: 'decision', statement: 3, action: 'allow', rules: [], policyHash: '' },
        { type: 'result', statement: 3, error: { code: '22012', message: 'division by zero' } },
        END,
      ]);
      expect(html).not.toMatch(/<[^>]*\s(?:src|href)=|url\(|@import|https?:\/\/(?!id\.example\.com)/);
      expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      const dom = await inBrowser(html);
      expect(dom).toContain('<title>Session &lt;b&gt;1&lt;/b&gt;</title>');
      // The page's own script ran, and nothing of the data became an element.
      expect(dom).toContain('3 shown');
      expect(dom.match(/<script/g)).toHaveLength(1);
      expect(dom).not.toContain('<img');
      const verdicts = [...dom.matchAll(/<article data-verdict="([a-z]+)"( data-failed="yes")?/g)];
      expect(verdicts.map(([, verdict, failed]) => [verdict, failed !== undefined])).toEqual([
        ['approved', false],
        ['blocked', false],
        ['allowed', true],
      ]);
      for (const text of [
        'bob@example.com',
        'masked email 2',
        '1.5 ms',
        '7 more of 9 rows',
        'ann@example.com',
        '22012',
        '+0.001 s',
      ])
        expect(dom).toContain(text);
      expect(dom).toContain('<td class="null">NULL</td>');
    },
  );

  it.skipIf(!isInstalled('chromium'))('runs no script but its own, even where one got in', async () => {
    const whole = await page([start(), ...statement(1), END]);
    const dom = await inBrowser(whole.replace('</main>', `${EVIL}<style>main{display:none}</style></main>`));
    expect(dom).toContain('<title>Session');
    expect(dom).toContain('1 shown');
  });

  it('shows models’ conversations, terminals, and several sessions as one', async () => {
    const source: EntrySource = { session: sessionId(), connection: 'openai', type: 'openai' };
    const other: EntrySource = { session: sessionId(), connection: 'bastion', type: 'ssh' };
    const html = await page([
      ...request('which customers are new?').map((event) => ({ ...event, source })),
      { ...END, source },
      { type: 'tty', statement: 1, from: 'upstream', data: '$ ls\u001b]0;t\u0007\r\n<dir>\r\n', source: other },
      { ...END, source: other },
    ]);
    expect(html).toContain(`openai ${source.session.slice(-8)}`);
    expect(html).toContain('<span class="who">user</span><pre>which customers are new?</pre>');
    expect(html).toContain('<span class="who">assistant</span><pre>answer to which customers are new?</pre>');
    expect(html).toContain('12 tokens in, 7 out');
    expect(html).toMatch(/<pre class="terminal"[^>]*>\n<span title="[^"]+">\$ ls\n&#60;dir&#62;<\/span>\n<\/pre>/);
  });
});
