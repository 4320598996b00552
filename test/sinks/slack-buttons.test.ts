import { describe, expect, it } from 'vitest';
import { buttonValue, isFresh, isSignedBySlack, requestOfButton } from '../../src/sinks/slack-buttons.js';
import { readPress } from '../../src/sinks/slack-interaction.js';

/** The example of Slack's own page on verifying requests. */
const EXAMPLE = {
  secret: '8f742231b10e8888abcd99yyyzzz85a5',
  timestamp: '1531420618',
  body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  signature: 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
};
const id = '019abcde-0000-7000-8000-0000000000ff';

describe('what Slack signs', () => {
  const call = { ...EXAMPLE, body: Buffer.from(EXAMPLE.body) };

  it('holds for the example of its documentation, and for nothing else', () => {
    expect(isSignedBySlack(EXAMPLE.secret, call)).toBe(true);
    expect(isSignedBySlack(`${EXAMPLE.secret}x`, call)).toBe(false);
    expect(isSignedBySlack(EXAMPLE.secret, { ...call, timestamp: '1531420619' })).toBe(false);
    expect(isSignedBySlack(EXAMPLE.secret, { ...call, body: Buffer.from(`${EXAMPLE.body}&`) })).toBe(false);
    for (const signature of ['', 'v0=', EXAMPLE.signature.slice(3), EXAMPLE.signature.toUpperCase()])
      expect(isSignedBySlack(EXAMPLE.secret, { ...call, signature })).toBe(false);
  });

  it('is taken for five minutes, into the past and the future', () => {
    const nowMs = 1_531_420_618_000;
    expect(['1531420618', '1531420318', '1531420918'].map((one) => isFresh(one, nowMs))).toEqual([true, true, true]);
    expect(['1531420317', '1531420919', '', '-1', '1e9', 'NaN'].map((one) => isFresh(one, nowMs))).not.toContain(true);
  });
});

describe('a button', () => {
  it('is of its request and its sink alone', () => {
    const value = buttonValue('secret', 'chat', id);
    expect(requestOfButton('secret', 'chat', value)).toBe(id);
    expect(requestOfButton('other', 'chat', value)).toBeUndefined();
    expect(requestOfButton('secret', 'other', value)).toBeUndefined();
    expect(requestOfButton('secret', 'chat', value.replace('ff.', 'fe.'))).toBeUndefined();
    expect(requestOfButton('secret', 'chat', `x.${value.split('.')[1] ?? ''}`)).toBeUndefined();
  });

  it.each(['', 'payload=', 'payload=[', 'payload=null', 'payload=%7B%22type%22%3A%22block_actions%22%7D', 'x=%FF%FE'])(
    'is in none of what is no press: %s',
    (body) => {
      expect(readPress(Buffer.from(body))).toBeUndefined();
    },
  );
});
