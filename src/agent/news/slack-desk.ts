import type { Approvals } from '../../approvals/approvals.js';
import type { Clock } from '../../core/clock.js';
import { HoopError, messageOf } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import type { IdentityProviderResource, SecretRef, SinkResource, SlackButtons } from '../../core/resources.js';
import { escaped, slackMessage } from '../../sinks/deliver/slack.js';
import { postJson } from '../../sinks/post-json.js';
import { isFresh, isSignedBySlack, requestOfButton } from '../../sinks/slack-buttons.js';
import { readPress, type SlackPress } from '../../sinks/slack-interaction.js';
import type { KnownPeople } from '../callers/known-people.js';
import type { Notice } from '../notices.js';
import { approvalEvent, type EventStamp } from './sink-events.js';

/** A Slack sink whose messages have buttons. */
export type ButtonSink = Extract<SinkResource, { type: 'slack' }> & { readonly buttons: SlackButtons };

/** What Slack sent, as it came. */
export interface SlackCall {
  readonly timestamp: string;
  readonly signature: string;
  readonly body: Uint8Array;
}

export interface SlackDeskOptions {
  readonly approvals: Pick<Approvals, 'decide' | 'get'>;
  readonly people: KnownPeople;
  readonly sinks: () => readonly SinkResource[];
  readonly providers: () => readonly Pick<IdentityProviderResource, 'name' | 'issuer' | 'reviewers' | 'machine'>[];
  readonly reveal: (reference: SecretRef) => Promise<string>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly stamp: () => EventStamp;
  readonly withoutSecrets: (text: string) => string;
  readonly warn: (message: string) => void;
}

/** A sink whose buttons are Slack's to tell of, with what they are signed with. */
interface Maker {
  readonly sink: ButtonSink;
  readonly secret: string;
}

/** A message that can still be changed. */
interface OpenMessage extends Maker {
  readonly url: string;
  readonly atMs: number;
}

/** Slack takes changes of a message for half an hour after a button of it was pressed. */
const MESSAGE_LIFE_MS = 30 * 60_000;
const MAX_MESSAGES = 1_000;
/** Twice as long as a signature may be old, into past and future. */
const SIGNATURE_LIFE_MS = 10 * 60_000;
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Decides requests for people who press a button in Slack: as the person whom the configuration says they are, with the
 * groups that this person's own token had when it was verified last, and by the same rules as for everybody.
 */
export class SlackDesk {
  /** Signatures that were taken, and when: none is taken twice. */
  readonly #taken = new Map<string, number>();
  readonly #messages = new Map<string, OpenMessage>();

  constructor(private readonly options: SlackDeskOptions) {}

  /**
   * Takes what Slack sent. Resolves once it is decided; what became of it is told in Slack.
   *
   * @throws HoopError `not_found` where no sink has buttons, `not_allowed` where Slack did not send it just now
   */
  async take(call: SlackCall): Promise<void> {
    const sinks = buttonSinks(this.options.sinks());
    if (sinks.length === 0) throw new HoopError('not_found', 'no such path');
    const nowMs = this.options.clock.nowMs();
    if (!isFresh(call.timestamp, nowMs)) throw new HoopError('not_allowed', 'the time of the request is not now');
    const makers = await this.#makers(sinks, call);
    this.#onlyOnce(call.signature, nowMs);
    const press = readPress(call.body);
    if (press === undefined) return;
    // A response goes to where the messages go: an address of anybody else's is not called.
    const [maker] = makers.filter(({ sink }) => originOf(press.responseUrl) === originOf(sink.url));
    if (maker === undefined) throw new HoopError('not_allowed', 'the address for the answer is not Slack’s');
    const [made] = makers.flatMap((one) => {
      const request = requestOfButton(one.secret, one.sink.name, press.value);
      return request === undefined ? [] : [{ ...one, request }];
    });
    if (made === undefined) this.#tell(maker.sink, press, 'This button was not made by hoop. Nothing was decided.');
    else this.#pressed(made, made.request, press);
  }

  /** Something became of a request: a message about it that is open says so. */
  notice(notice: Notice): void {
    const { type, request } = notice;
    const open = this.#messages.get(request.id);
    if (open === undefined || (type !== 'voted' && type !== 'resolved' && type !== 'reviewed')) return;
    if (type !== 'voted') this.#messages.delete(request.id);
    if (this.options.clock.nowMs() - open.atMs > MESSAGE_LIFE_MS) return;
    this.#replace(open, notice);
  }

  /** The sinks of the app that Slack signed for: an app may post to several channels. */
  async #makers(sinks: readonly ButtonSink[], call: SlackCall): Promise<readonly Maker[]> {
    const makers: Maker[] = [];
    for (const sink of sinks) {
      const secret = await this.options.reveal(sink.buttons.signingSecret);
      if (isSignedBySlack(secret, call)) makers.push({ sink, secret });
    }
    if (makers.length === 0) throw new HoopError('not_allowed', 'the signature of the request does not hold');
    return makers;
  }

  #onlyOnce(signature: string, nowMs: number): void {
    for (const [known, atMs] of this.#taken) {
      if (nowMs - atMs <= SIGNATURE_LIFE_MS) break;
      this.#taken.delete(known);
    }
    if (this.#taken.has(signature)) throw new HoopError('not_allowed', 'the request was sent before');
    this.#taken.set(signature, nowMs);
  }

  #pressed({ sink, secret }: Maker, request: string, press: SlackPress): void {
    const person = this.#personOf(sink, press);
    if (typeof person === 'string') {
      this.#tell(sink, press, person);
      return;
    }
    this.#keep(request, { sink, secret, url: press.responseUrl, atMs: this.options.clock.nowMs() });
    try {
      this.options.approvals.decide(request, person, press.verdict, `in Slack, by its user ${press.user}`);
    } catch (error) {
      if (!(error instanceof HoopError)) throw error;
      this.#tell(sink, press, `Nothing was decided: ${error.message}.`);
      this.#settle(request, person);
    }
  }

  /** Who pressed it, or why nobody here did. */
  #personOf({ buttons }: ButtonSink, { user, team }: SlackPress): Identity | string {
    const known = buttons.people.find((one) => one.user === user);
    const provider = this.options.providers().find(({ name }) => name === known?.provider);
    if (team !== buttons.team || known === undefined || provider === undefined)
      return 'Nothing was decided: the configuration of hoop names nobody for this Slack user.';
    const { people } = this.options;
    const identity = people.within(provider.issuer, known.subject, buttons.seenWithinMs);
    if (identity === undefined)
      return 'Nothing was decided: hoop has not seen your login lately. Run `hoop login`, then `hoop whoami`, and press again.';
    // What the provider may do is as configured now, not as it was when the token was seen.
    return {
      ...identity,
      mayReview: identity.mayReview && provider.reviewers,
      machine: identity.machine || provider.machine,
    };
  }

  /** The message of a request that is over shows how it ended. */
  #settle(id: string, viewer: Identity): void {
    const open = this.#messages.get(id);
    try {
      const request = this.options.approvals.get(viewer, id);
      if (request.state === 'pending' || open === undefined) return;
      this.#messages.delete(id);
      this.#replace(open, { kind: 'approval', type: 'resolved', request });
    } catch (error) {
      // Not theirs to see, or gone: then the message stays as it is.
      if (!(error instanceof HoopError)) throw error;
    }
  }

  #keep(request: string, message: OpenMessage): void {
    this.#messages.delete(request);
    this.#messages.set(request, message);
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MAX_MESSAGES && oldest !== undefined) this.#messages.delete(oldest);
  }

  #replace({ sink, secret, url }: OpenMessage, notice: Notice): void {
    const name = notice.type === 'voted' ? 'approval.voted' : 'approval.resolved';
    const event = approvalEvent(name, notice, this.options.stamp(), this.options.withoutSecrets);
    this.#post(sink, url, { replace_original: true, ...slackMessage(event, { sink: sink.name, secret }) });
  }

  /** To the one who pressed, and nobody else. */
  #tell(sink: ButtonSink, { responseUrl }: SlackPress, words: string): void {
    this.#post(sink, responseUrl, { response_type: 'ephemeral', replace_original: false, text: escaped(words) });
  }

  #post(sink: ButtonSink, url: string, message: Readonly<Record<string, unknown>>): void {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    postJson({ url, ca: sink.ca, headers: {}, body: JSON.stringify(message), signal }).catch((error: unknown) => {
      this.options.warn(`sink ${sink.name}: a message in Slack could not be changed (${messageOf(error)})`);
    });
  }
}

/** Is this person named by a sink with buttons? */
export function isNamedInSlack(
  { sinks, providers }: Pick<SlackDeskOptions, 'sinks' | 'providers'>,
  issuer: string,
  subject: string,
): boolean {
  const names = providers().flatMap((provider) => (provider.issuer === issuer ? [provider.name] : []));
  return buttonSinks(sinks()).some(({ buttons }) =>
    buttons.people.some((one) => one.subject === subject && names.includes(one.provider)),
  );
}

function buttonSinks(sinks: readonly SinkResource[]): readonly ButtonSink[] {
  return sinks.filter((sink): sink is ButtonSink => sink.type === 'slack' && sink.buttons !== undefined);
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
