import { isAlphanumeric, isDigit, isHexDigit, isTokenByte, opensWord } from '../finding/byte-classes.js';
import { byteProbe, codes, UNREAD } from '../finding/entity.js';
import type { EntityDetector, Probe, Span } from '../finding/entity.js';
import { standsAt } from './stands-at.js';

const ALPHABETS = ['upper', 'alphanumeric', 'token', 'dotted', 'hex'] as const;
type Alphabet = (typeof ALPHABETS)[number];

/** How one vendor writes one kind of key: a fixed beginning, then at least `min` characters of an alphabet. */
interface KeyKind {
  readonly prefix: readonly number[];
  /** The prefix must not go on like this: that is another vendor's kind. */
  readonly not?: readonly number[];
  readonly alphabet: Alphabet;
  readonly min: number;
  /** No more than this many characters follow; without it the key is as long as its alphabet goes on. */
  readonly exact?: boolean;
  /** Needs a digit among the first 48, so that names such as `sk-spinner-three-bounce` are none. */
  readonly digit?: boolean;
}

function kind(
  prefix: string,
  alphabet: Alphabet,
  min: number,
  more: { not?: string; exact?: boolean; digit?: boolean } = {},
): KeyKind {
  const { not, ...rest } = more;
  return { prefix: codes(prefix), alphabet, min, ...rest, ...(not === undefined ? {} : { not: codes(not) }) };
}

const DIGIT_WITHIN = 48;

/** How often bytes occur in ordinary data, rarest first; a prefix is looked for by two of its bytes. */
const RAREST_FIRST = codes('XJKzGxBSkAIPUvjqNCHLTYgphy_wsbcfmudrlaniote-.0123456789');

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
const AWS = ['AKIA', 'ASIA', 'ABIA', 'ACCA'].map((prefix) => kind(prefix, 'upper', 16, { exact: true }));
/** @see https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/ */
const GITHUB = [
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((prefix) => kind(prefix, 'alphanumeric', 30)),
  kind('github_pat_', 'token', 22),
];
const OPENAI = [kind('sk-', 'token', 20, { not: 'ant-', digit: true })];
const ANTHROPIC = [kind('sk-ant-', 'token', 20)];
/** @see https://docs.stripe.com/keys */
const STRIPE = [
  ...['sk', 'rk', 'pk'].flatMap((role) => ['live', 'test'].map((mode) => kind(`${role}_${mode}_`, 'alphanumeric', 10))),
  kind('whsec_', 'alphanumeric', 24),
];
const GOOGLE = [kind('AIza', 'token', 35), kind('GOCSPX-', 'token', 28)];
/** @see https://docs.slack.dev/authentication/tokens */
const SLACK = [
  ...['a', 'b', 'c', 'd', 'e', 'o', 'p', 'r', 's'].map((type) => kind(`xox${type}-`, 'token', 10, { digit: true })),
  kind('xapp-', 'token', 10, { digit: true }),
  kind('xoxe.xoxp-', 'token', 10, { digit: true }),
];
/** @see https://docs.gitlab.com/security/tokens/#token-prefixes */
const GITLAB = [kind('glpat-', 'token', 20)];
const NPM = [kind('npm_', 'alphanumeric', 36)];
const HUGGING_FACE = [kind('hf_', 'alphanumeric', 30)];
const SENDGRID = [kind('SG.', 'dotted', 60)];
const DIGITAL_OCEAN = [kind('dop_v1_', 'alphanumeric', 60)];
const SHOPIFY = [kind('shpat_', 'alphanumeric', 32)];
const PYPI = [kind('pypi-', 'token', 60)];

function inAlphabet(alphabet: Alphabet, byte: number): boolean {
  if (alphabet === 'upper') return (byte >= 0x41 && byte <= 0x5a) || isDigit(byte);
  if (alphabet === 'alphanumeric') return isAlphanumeric(byte);
  if (alphabet === 'hex') return isHexDigit(byte);
  return isTokenByte(byte) || (alphabet === 'dotted' && byte === 0x2e);
}

/** The offset behind the least that a key of this kind must have, beginning at `at`; -1 where there is none. */
function leastEnd(key: KeyKind, bytes: Uint8Array, at: number, end: number, span: Span): number {
  if (!standsAt(bytes, at, end, key.prefix, span)) return -1;
  const body = at + key.prefix.length;
  if (key.not !== undefined && standsAt(bytes, body, end, key.not, UNREAD)) return -1;
  let digit = key.digit !== true;
  for (let index = body; index < body + key.min; index += 1) {
    if (index >= end) span.open = true;
    if (index >= end) return -1;
    const byte = bytes[index] as number;
    if (!inAlphabet(key.alphabet, byte)) return -1;
    digit ||= isDigit(byte);
  }
  for (let index = body + key.min; !digit && index < end && index < body + DIGIT_WITHIN; index += 1) {
    const byte = bytes[index] as number;
    if (!inAlphabet(key.alphabet, byte)) return -1;
    digit = isDigit(byte);
  }
  span.open ||= !digit && end < body + DIGIT_WITHIN;
  return digit ? body + key.min : -1;
}

/** The offset in a prefix of the second of the two bytes that are rarest together. */
function anchorOf(prefix: readonly number[]): number {
  const rank = (index: number): number => RAREST_FIRST.indexOf(prefix[index] as number);
  let anchor = 1;
  for (let index = 2; index < prefix.length; index += 1) {
    if (rank(index) + rank(index - 1) < rank(anchor) + rank(anchor - 1)) anchor = index;
  }
  return anchor;
}

function probeOf(key: KeyKind): Probe {
  const anchor = anchorOf(key.prefix);
  return byteProbe(
    [key.prefix[anchor] as number],
    [key.prefix[anchor - 1] as number],
    (bytes, at, start, end) => at - anchor >= start && leastEnd(key, bytes, at - anchor, end, UNREAD) >= 0,
  );
}

function keyDetector(name: string, kinds: readonly KeyKind[]): EntityDetector {
  return {
    name,
    partial: 'third',
    pseudonym: 'token',
    triggers: [...new Set(kinds.map((key) => key.prefix[0] as number))],
    probes: kinds.map(probeOf),
    open: 'token',
    literals: kinds.map((key) => ({ text: key.prefix, least: key.min, check: 'key' })),
    find(bytes, at, start, end, span) {
      if (!opensWord(bytes, at, start)) return false;
      span.from = at;
      for (const key of kinds) {
        const to = leastEnd(key, bytes, at, end, span);
        if (to < 0) continue;
        if (key.exact === true && to < end && inAlphabet('alphanumeric', bytes[to] as number)) continue;
        span.to = span.skipTo = span.next = to;
        span.stage = ALPHABETS.indexOf(key.alphabet);
        span.begun = key.exact !== true;
        span.open = span.begun ? !followKey(bytes, start, end, span) : to >= end;
        return true;
      }
      return false;
    },
    follow: followKey,
  };
}

function followKey(bytes: Uint8Array, _start: number, end: number, span: Span): boolean {
  const alphabet = ALPHABETS[span.stage] as Alphabet;
  let to = span.next;
  while (to < end && inAlphabet(alphabet, bytes[to] as number)) to += 1;
  span.to = span.skipTo = span.next = to;
  return to < end;
}

export const awsAccessKey = keyDetector('aws-access-key', AWS);
export const githubToken = keyDetector('github-token', GITHUB);
export const openaiKey = keyDetector('openai-key', OPENAI);
export const anthropicKey = keyDetector('anthropic-key', ANTHROPIC);
export const stripeKey = keyDetector('stripe-key', STRIPE);
export const googleApiKey = keyDetector('google-api-key', GOOGLE);
export const slackToken = keyDetector('slack-token', SLACK);
/** Every vendor's kinds under one name. */
export const apiKey = keyDetector('api-key', [
  ...AWS,
  ...GITHUB,
  ...ANTHROPIC,
  ...OPENAI,
  ...STRIPE,
  ...GOOGLE,
  ...SLACK,
  ...GITLAB,
  ...NPM,
  ...HUGGING_FACE,
  ...SENDGRID,
  ...DIGITAL_OCEAN,
  ...SHOPIFY,
  ...PYPI,
]);
/** Other tokens of GitLab than personal ones: of deployments, runners, triggers, agents, feeds, mail, SCIM, sessions, clients. */
const GITLAB_OTHERS = ['gldt-', 'glrt-', 'glptt-', 'glagent-', 'glft-', 'glimt-', 'glsoat-', 'glcbt-', 'gloas-'];
/** Vendors whose kinds can be asked for by themselves. */
export const MORE_TOKENS: readonly EntityDetector[] = [
  keyDetector('gitlab-token', [...GITLAB, ...GITLAB_OTHERS.map((prefix) => kind(prefix, 'token', 20))]),
  keyDetector('npm-token', NPM),
  keyDetector('pypi-token', PYPI),
  keyDetector('huggingface-token', HUGGING_FACE),
  keyDetector('sendgrid-key', SENDGRID),
  keyDetector('digitalocean-token', [
    ...DIGITAL_OCEAN,
    ...['doo_v1_', 'dor_v1_'].map((prefix) => kind(prefix, 'alphanumeric', 60)),
  ]),
  keyDetector('shopify-token', [
    ...SHOPIFY,
    ...['shpss_', 'shpca_', 'shppa_'].map((prefix) => kind(prefix, 'alphanumeric', 32)),
  ]),
  keyDetector('twilio-key', [
    kind('SK', 'hex', 32, { exact: true, digit: true }),
    kind('AC', 'hex', 32, { exact: true, digit: true }),
  ]),
  keyDetector('databricks-token', [kind('dapi', 'hex', 32, { digit: true })]),
  keyDetector(
    'vault-token',
    ['hvs.', 'hvb.', 'hvr.'].map((prefix) => kind(prefix, 'token', 24)),
  ),
  keyDetector('mailgun-key', [kind('key-', 'hex', 32, { exact: true, digit: true })]),
  keyDetector(
    'grafana-token',
    ['glsa_', 'glc_'].map((prefix) => kind(prefix, 'token', 32)),
  ),
  keyDetector(
    'docker-token',
    ['dckr_pat_', 'dckr_oat_'].map((prefix) => kind(prefix, 'token', 24)),
  ),
  keyDetector('linear-key', [kind('lin_api_', 'alphanumeric', 40)]),
];
