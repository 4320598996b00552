import { createInterface } from 'node:readline/promises';
import type { RequestView } from '../core/approval.js';
import { HoopError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { HoopCommand } from './base-command.js';
import { requestLines, stateOf } from './request-lines.js';
import type { DecisionReasons } from '../tui/approve/desk.js';
import { canDraw, loadScreen } from '../tui/terminal.js';

/** What `approve` and `deny` share: decide the request named, or show those that wait for the caller. */
export abstract class DecideCommand extends HoopCommand {
  /** @throws HoopError `not_found`, `not_allowed`, `already_decided`, and those of the agent's interface */
  protected async decide(
    verdict: 'approve' | 'deny',
    given: string | undefined,
    reason: string | undefined,
    duration?: string,
  ): Promise<void> {
    const id = given ?? (await this.#choose(verdict));
    if (id === undefined) return;
    // What is no id is in no list; and nothing else may get into the path.
    if (!isId(id))
      throw new HoopError('not_found', 'no such request', {
        why: 'what was given is not a request’s id',
        suggestion: '`hoop requests` lists ids',
      });
    const decided = await this.agentApi().post<RequestView>(`/v1/requests/${id}/${verdict}`, {
      reason: reason ?? '',
      ...(duration === undefined ? {} : { duration }),
    });
    if (this.jsonEnabled()) return this.printJson(decided);
    this.print(requestLines(decided, this.colours));
    if (decided.state === 'pending') this.say('your approval counts; more reviewers must approve');
    else this.say(this.messageColours.plain(stateOf(decided)));
  }

  protected canDecideOnScreen(): boolean {
    return !this.jsonEnabled() && canDraw();
  }

  /**
   * The screen to read and decide what waits, until the reviewer ends it.
   *
   * @param reasons what approvals and denials say unless the reviewer types another
   */
  protected async decideOnScreen(reasons: DecisionReasons): Promise<void> {
    // Only the screen needs them, and Ink takes a third of a second to load.
    const [{ ReviewDesk }, { openApproveScreen }] = await Promise.all([
      import('../client/requests/review-desk.js'),
      loadScreen(() => import('../tui/approve/screen.js')),
    ]);
    const desk = new ReviewDesk(this.agentApi());
    await desk.start();
    const screen = openApproveScreen(desk, { reasons, colours: this.colours.enabled, env: process.env });
    desk.ended.catch(() => screen.close());
    await screen.closed.finally(() => desk.stop());
    await desk.ended;
  }

  /** Shows what the caller may decide; in a terminal asks which one. */
  async #choose(verdict: 'approve' | 'deny'): Promise<string | undefined> {
    const listed = await this.agentApi().get<readonly RequestView[]>('/v1/requests?state=pending');
    const waiting = listed.filter((request) => request.mayDecide);
    if (this.jsonEnabled()) {
      this.printJson(waiting);
      return undefined;
    }
    for (const [index, request] of waiting.entries()) {
      this.print(`${this.colours.bold(`[${index + 1}]`)}\n${requestLines(request, this.colours)}\n`);
    }
    if (waiting.length === 0) this.say('nothing waits for you');
    else if (process.stdin.isTTY && process.stdout.isTTY) return ask(verdict, waiting);
    else this.say(`decide with \`hoop ${verdict} REQUEST\``);
    return undefined;
  }
}

/** @returns the id of the number typed; undefined for an empty line */
async function ask(verdict: 'approve' | 'deny', waiting: readonly RequestView[]): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = (await terminal.question(`${verdict} which one? (1 to ${waiting.length}, Enter for none) `)).trim();
    if (typed === '') return undefined;
    const chosen = /^\d{1,4}$/.test(typed) ? waiting[Number(typed) - 1] : undefined;
    if (chosen === undefined) throw new HoopError('usage', 'that is none of the numbers shown');
    return chosen.id;
  } finally {
    terminal.close();
  }
}
