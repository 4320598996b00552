import { SLACK_ACTIONS } from './slack-buttons.js';

/** A button that somebody pressed. */
export interface SlackPress {
  readonly verdict: 'approve' | 'deny';
  /** What the button carries. */
  readonly value: string;
  /** Slack's id of who pressed it, and of their workspace. */
  readonly user: string;
  readonly team: string;
  /** Where the message can be changed, for half an hour and five times. */
  readonly responseUrl: string;
}

/**
 * Reads the body of an interaction, which is a form with one field of JSON. Its signature was checked before.
 *
 * @returns undefined for anything but one of our buttons
 * @see https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
 */
export function readPress(body: Uint8Array): SlackPress | undefined {
  const payload = parsed(new URLSearchParams(new TextDecoder().decode(body)).get('payload') ?? '');
  if (payload['type'] !== 'block_actions' || !Array.isArray(payload['actions'])) return undefined;
  const [action] = payload['actions'] as readonly unknown[];
  const { action_id: name, value } = fieldsOf(action);
  const verdict = (['approve', 'deny'] as const).find((one) => SLACK_ACTIONS[one] === name);
  const user = fieldsOf(payload['user']);
  // Of somebody from another workspace, in a shared channel, the user's own says which.
  const team = user['team_id'] ?? fieldsOf(payload['team'])['id'];
  const responseUrl = payload['response_url'];
  if (verdict === undefined || typeof value !== 'string' || typeof responseUrl !== 'string') return undefined;
  if (typeof user['id'] !== 'string' || typeof team !== 'string') return undefined;
  return { verdict, value, user: user['id'], team, responseUrl };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {};
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
