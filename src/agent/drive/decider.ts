import type { ApprovalOutcome, ApprovalVote } from '../../core/approval.js';
import { messageOf } from '../../core/errors.js';
import type { Verdict } from '../../policy/types.js';
import type { Decision, Question } from '../../protocols/contract.js';
import type { DeciderHost, Hold } from './drive-host.js';
import {
  blockedBy,
  decisionEvent,
  holdMessage,
  outcomeDecision,
  requestedEvent,
  resolvedEvent,
  unheldDecision,
  unheldEvents,
  votedEvent,
  warnings,
} from './outcome.js';
import { StatementNews } from './statement-news.js';

/** What a decision goes back to. */
export interface DecisionDesk {
  answer(ticket: number, decision: Decision): void;
  closed(): boolean;
  /** Has the client hung up while it waited? Then the session is ended, and this says so. */
  clientLeft(): boolean;
  /**
   * Runs `proceed` once the client is known to be there, also where its way here is broken for a moment; or once it
   * has left for good, which `clientLeft` then says. What was approved is never run for nobody.
   */
  whenPresent(proceed: () => void): void;
}

/** Takes one question from asked to answered: policy, people, record; whatever fails on the way blocks. */
export class Decider {
  #hold: Hold | undefined;
  readonly #news: StatementNews;

  constructor(
    private readonly host: DeciderHost,
    private readonly desk: DecisionDesk,
  ) {
    this.#news = new StatementNews(host.monotonicMs, (event) => {
      host.tell(event);
    });
  }

  /** Is a statement waiting for people? */
  get holding(): boolean {
    return this.#hold !== undefined;
  }

  /** Ends the wait, if there is one. */
  withdraw(why: string): void {
    this.#hold?.withdraw(why);
  }

  /** Puts a question to policy, and to people where policy says so; the answer follows, at once or later. */
  ask(ticket: number, question: Question): void {
    if (question.phase === 'run') this.host.trace?.asked(question.statement);
    this.#judge(question, (verdict) => {
      this.#decided(ticket, question, verdict);
    });
  }

  #judge(question: Question, judged: (verdict: Verdict) => void): void {
    const undecided = (error: unknown): void => {
      this.host.log(`undecided, so blocked: ${messageOf(error)}`);
      judged(blockedBy('hoop/undecided', `the statement could not be decided (${messageOf(error)})`));
    };
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.host.judge(question);
    } catch (error) {
      undecided(error);
      return;
    }
    if (verdict instanceof Promise) verdict.then(judged, undecided);
    else judged(verdict);
  }

  #decided(ticket: number, question: Question, verdict: Verdict): void {
    if (this.desk.closed()) return;
    if (question.phase === 'prepare' && verdict.action !== 'block') {
      this.desk.answer(ticket, { action: 'allow', notices: [] });
      return;
    }
    try {
      this.#recordDecision(question, verdict);
      const hold = verdict.action === 'approve' ? this.host.hold(question, verdict) : undefined;
      if (hold?.kind === 'wait') {
        this.#wait(ticket, question, verdict, hold);
        return;
      }
      for (const event of hold === undefined ? [] : unheldEvents(question, hold)) this.host.record(event);
      this.#afterFlush(ticket, () => {
        if (verdict.action === 'block') this.#block(ticket, verdict);
        else this.desk.answer(ticket, unheldDecision(hold, warnings(verdict)));
      });
    } catch (error) {
      this.#unrecorded(ticket, error);
    }
  }

  #recordDecision(question: Question, verdict: Verdict): void {
    const event = question.event();
    if (event === undefined) return;
    this.host.record(event);
    this.host.record(decisionEvent(question, verdict));
    this.#news.decided(event, verdict);
  }

  /** What is forwarded was recorded before; where it can't be recorded it is refused. */
  #afterFlush(ticket: number, proceed: () => void): void {
    let flushed: void | Promise<void>;
    try {
      flushed = this.host.flush();
    } catch (error) {
      this.#unrecorded(ticket, error);
      return;
    }
    if (flushed === undefined) {
      proceed();
      return;
    }
    flushed.then(proceed, (error: unknown) => {
      this.#unrecorded(ticket, error);
    });
  }

  #unrecorded(ticket: number, error: unknown): void {
    this.host.log(`not recorded, so refused: ${messageOf(error)}`);
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.withdraw('the request can not be recorded');
    this.desk.answer(ticket, {
      action: 'block',
      code: 'recording_failed',
      message: 'hoop: the session can not be recorded, so nothing is run',
    });
  }

  #block(ticket: number, verdict: Verdict): void {
    const message =
      verdict.message === ''
        ? `blocked by policy ${verdict.rule}`
        : `blocked by policy ${verdict.rule}: ${verdict.message}`;
    this.host.tell({ event: 'blocked', rule: verdict.rule, message: verdict.message });
    this.desk.answer(ticket, {
      action: 'block',
      message: verdict.rule.startsWith('hoop/') ? verdict.message : message,
      ...(verdict.hint === undefined ? {} : { hint: verdict.hint }),
    });
  }

  #wait(ticket: number, question: Question, verdict: Verdict, hold: Hold): void {
    const { request } = hold;
    this.#hold = hold;
    this.host.record(requestedEvent(question, request));
    const { flows, expiresAt } = request;
    const waiting = (progress: Hold['progress']): void => {
      this.host.tell({ event: 'approval.waiting', request: request.id, flows, expiresAt, progress });
    };
    waiting(hold.progress);
    const unwatch = hold.watch((progress, vote) => {
      waiting(progress);
      this.#voted(ticket, question, hold, vote);
    });
    hold.outcome.then(
      (outcome) => {
        unwatch();
        this.#resolved(ticket, question, verdict, hold, outcome);
      },
      (error: unknown) => {
        this.#resolved(ticket, question, verdict, hold, { state: 'cancelled', by: '', reason: messageOf(error) });
      },
    );
    this.#afterFlush(ticket, () => {
      // Decided while it was being recorded: its answer follows by itself.
      if (this.#hold !== hold) return;
      this.desk.answer(ticket, { action: 'hold', request: request.id, message: holdMessage(request, verdict) });
    });
  }

  #voted(ticket: number, question: Question, hold: Hold, vote: ApprovalVote): void {
    if (this.#hold !== hold || this.desk.closed()) return;
    try {
      this.host.record(votedEvent(question, hold.request, vote));
    } catch (error) {
      this.#unrecorded(ticket, error);
    }
  }

  #resolved(ticket: number, question: Question, verdict: Verdict, hold: Hold, outcome: ApprovalOutcome): void {
    // Withdrawn because it could not be recorded: its statement has been refused already.
    if (this.#hold !== hold) return;
    this.#hold = undefined;
    if (this.desk.closed()) return;
    const { request } = hold;
    const { state, by, reason } = outcome;
    try {
      this.host.record(resolvedEvent(question, request.id, outcome));
    } catch (error) {
      this.#unrecorded(ticket, error);
      return;
    }
    this.host.tell({ event: 'approval.resolved', request: request.id, outcome: state, by, reason });
    this.desk.whenPresent(() => {
      if (this.desk.closed() || this.desk.clientLeft()) return;
      if (state === 'approved') this.#goesAhead(ticket, question, hold, outcome);
      else this.#resume(ticket, outcomeDecision(request, outcome, warnings(verdict)));
    });
  }

  /** It may have waited for long: what policy says now counts, and what it would do now must be what was approved. */
  #goesAhead(ticket: number, question: Question, hold: Hold, outcome: ApprovalOutcome): void {
    this.#judge(question, (now) => {
      if (this.desk.closed() || this.desk.clientLeft()) return;
      const changed = now.action === 'block' ? undefined : hold.uncovered(question, now);
      const verdict =
        changed === undefined ? now : { ...blockedBy('hoop/changed', changed), policyHash: now.policyHash };
      if (verdict.action !== 'block') {
        this.#resume(ticket, outcomeDecision(hold.request, outcome, warnings(verdict)));
        return;
      }
      try {
        this.host.record(decisionEvent(question, verdict));
      } catch (error) {
        this.#unrecorded(ticket, error);
        return;
      }
      this.#afterFlush(ticket, () => {
        this.#block(ticket, verdict);
      });
    });
  }

  #resume(ticket: number, decision: Decision): void {
    this.#afterFlush(ticket, () => {
      this.desk.answer(ticket, decision);
    });
  }
}
