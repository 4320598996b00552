import type { ChainedEvent } from '../../core/events.js';
import { endOf, list, plain, record } from '../reading/event-fields.js';
import { atMsOf } from './entry.js';
import type { ReplayEntry } from './entry.js';
import type { Group } from './groups.js';
import { escapeHtml, pageHead, pageTail } from './html-page.js';
import { statementArticle } from './html-statement.js';
import { TerminalLines } from './terminal-lines.js';

export interface HtmlOptions {
  /** Takes a part of the page, without a line end. */
  readonly write: (html: string) => void;
  readonly title: string;
}

/**
 * A page of its own for a ticket or an auditor: every statement with its verdict, approval, rows and timing; narrowed
 * by text and verdict in the browser. Loads nothing and runs no script but its own; data is text in it. It shows, and
 * proves nothing: the recording itself does (`hoop verify`).
 */
export async function writeHtml(groups: AsyncIterable<Group>, { write, title }: HtmlOptions): Promise<void> {
  write(pageHead(title));
  const page = new Page(write);
  for await (const group of groups) page.take(group);
  page.end();
  write(
    pageTail(
      'Made by hoop replay. Values were masked before they were recorded. Times are UTC. This page shows a recording; hoop verify proves it.',
    ),
  );
}

class Page {
  readonly #startsMs = new Map<string, number>();
  readonly #terminals = new Map<string, TerminalLines>();
  #inTerminal = false;

  constructor(private readonly write: (html: string) => void) {}

  take(group: Group): void {
    const [first] = group.entries;
    if (first === undefined) return;
    if (first.event.type === 'tty') return this.#typed(first);
    this.#endTerminal();
    const session = first.source?.session ?? '';
    if (first.event.type === 'session.start') {
      this.#startsMs.set(session, atMsOf(first.event));
      return this.write(startSection(first.event));
    }
    if (first.event.type === 'session.end') return this.#ended(first);
    if (first.event.type === 'seal') {
      return this.write(`<p class="note">sealed by key ${text(first.event['keyId'])}</p>`);
    }
    this.write(statementArticle(group, this.#startsMs.get(session)));
  }

  end(): void {
    this.#endTerminal();
  }

  #ended(entry: ReplayEntry): void {
    const rest = this.#terminals.get(entry.source?.session ?? '')?.rest ?? '';
    if (rest !== '') this.write(`<pre class="terminal">${escapeHtml(rest)}</pre>`);
    const { event } = entry;
    const seconds = (atMsOf(event) - (this.#startsMs.get(entry.source?.session ?? '') ?? Number.NaN)) / 1000;
    // After a crash the end is when it was sealed.
    const lasted = Number.isNaN(seconds) || event['reason'] === 'crash' ? '' : ` after ${seconds.toFixed(3)} s`;
    this.write(
      `<p class="note">ended by ${escapeHtml(endOf(event['reason']))}${lasted}: ${text(event['statements'])} statements or requests, ${text(event['blocked'])} blocked</p>`,
    );
  }

  #typed({ event, source }: ReplayEntry): void {
    const session = source?.session ?? '';
    const lines = this.#terminals.get(session) ?? new TerminalLines();
    this.#terminals.set(session, lines);
    if (event['from'] !== 'upstream' || typeof event['data'] !== 'string') return;
    const whole = lines.push(event['data']);
    if (whole.length === 0) return;
    if (!this.#inTerminal) this.write(`<pre class="terminal" aria-label="terminal">`);
    this.#inTerminal = true;
    this.write(`<span title="${text(event.at)}">${whole.map(escapeHtml).join('\n')}</span>`);
  }

  #endTerminal(): void {
    if (this.#inTerminal) this.write('</pre>');
    this.#inTerminal = false;
  }
}

function startSection(event: ChainedEvent): string {
  const user = record(event['user']);
  const connection = record(event['connection']);
  const client = record(event['client']);
  const labels = Object.entries(record(connection['labels'])).map(([name, value]) => `${name}=${plain(value)}`);
  const rows: readonly (readonly [string, string])[] = [
    ['session', plain(event['session'])],
    ['user', [plain(user['email']), plain(user['subject'])].filter((part) => part !== '').join(', ')],
    ['groups', list(user['groups']).join(', ')],
    ['issuer', plain(user['issuer'])],
    ['machine', user['machine'] === true ? 'yes' : ''],
    ['connection', `${plain(connection['name'])} (${plain(connection['type'])})`],
    ['labels', labels.join(', ')],
    ['credential', plain(event['credential'])],
    [
      'client',
      ['application', 'address', 'database']
        .map((name) => plain(client[name]))
        .filter((part) => part !== '')
        .join(', '),
    ],
    ['correlation', plain(event['correlationId'])],
    ['started', plain(event.at)],
  ];
  const shown = rows.filter(([, value]) => value !== '');
  return `<dl>${shown.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}

function text(value: unknown): string {
  return escapeHtml(plain(value));
}
