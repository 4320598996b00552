import type { ChainedEvent } from '../../core/events.js';
import type { Sense } from '../../core/replay-frame.js';
import { durationText } from '../../core/duration-text.js';
import { bounded, number, plain } from './event-fields.js';

/** What an event says of an approval or a grant, in words that are not escaped yet; undefined for all other events. */
export function approvalWords(
  event: ChainedEvent,
  maxChars: number,
): { readonly words: string; readonly sense: Sense } | undefined {
  const field = (name: string): string => plain(event[name]);
  const why = field('reason') === '' ? '' : `: ${bounded(field('reason'), maxChars)}`;
  const by = field('by') === '' ? '' : ` by ${field('by')}`;
  switch (event.type) {
    case 'approval.requested': {
      const went = event['breakGlass'] === true ? 'goes ahead under break-glass of' : 'waits for approval by';
      return { words: `${went} ${field('flow')}, request ${field('request')}${spanOf(event)}${why}`, sense: 'held' };
    }
    case 'approval.voted':
      return { words: `approved${by}${spanOf(event)}; others must`, sense: 'held' };
    case 'approval.resolved': {
      const sense = event['outcome'] === 'approved' ? 'allowed' : 'blocked';
      return { words: `${field('outcome')}${by}${why}`, sense };
    }
    case 'approval.reviewed':
      return { words: `break-glass ${field('verdict')}${by}${why}${ofSession(event)}`, sense: 'about' };
    case 'approval.preview':
      return { words: tried(event), sense: 'about' };
    case 'grant.given':
      return { words: `grant ${field('grant')} until ${field('expiresAt')}`, sense: 'allowed' };
    case 'grant.ended':
      return { words: `grant ${field('grant')} ${field('state')}${by}${why}${ofSession(event)}`, sense: 'blocked' };
    default:
      return undefined;
  }
}

function spanOf(event: ChainedEvent): string {
  const durationMs = number(event['durationMs']);
  return durationMs === undefined ? '' : ` for ${durationText(durationMs)}`;
}

function ofSession(event: ChainedEvent): string {
  const session = plain(event['session']);
  return session === '' ? '' : ` (session ${session})`;
}

function tried(event: ChainedEvent): string {
  const rows = number(event['rows']);
  const flow = plain(event['flow']);
  const refused = plain(event['refused']);
  return [
    `tried out for ${flow === '' ? plain(event['by']) : `flow ${flow}`}`,
    rows === undefined ? '' : `: ${String(rows)} ${rows === 1 ? 'row' : 'rows'}, rolled back`,
    refused === '' ? '' : `, refused: ${refused}`,
  ].join('');
}
