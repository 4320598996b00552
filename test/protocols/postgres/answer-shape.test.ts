import { describe, expect, it } from 'vitest';
import { hasItsShape } from '../../../src/protocols/postgres/answer-shape.js';
import { maskReport } from '../../../src/protocols/postgres/error-masker.js';
import { complete, cstring, i32, message, ready, serverError, u16 } from './wire.js';

const check = (bytes: Buffer): boolean => hasItsShape(bytes[0] ?? 0, bytes);

describe('messages that go down unread', () => {
  it.each(['1', '2', '3', 'c', 'I', 'n', 's'])('type %s is empty: 1 B of body is refused', (type) => {
    expect(check(message(type, ''))).toBe(true);
    expect(check(message(type, 'x'))).toBe(false);
  });

  it.each(['SELECT 3', 'INSERT 0 5', 'CREATE TABLE AS', 'BEGIN', 'COPY 1'])('lets the command tag %s pass', (tag) => {
    expect(check(complete(tag))).toBe(true);
  });

  it.each(['SELECT jane.roe@example.com', 'select 3', 'SELECT  3', 'SELECT 3 ', ''])(
    'refuses the command tag %j',
    (tag) => {
      expect(check(complete(tag))).toBe(false);
    },
  );

  it('refuses a command tag without its end, and one with 1 B behind it', () => {
    expect(check(message('C', 'SELECT 3'))).toBe(false);
    expect(check(message('C', 'SELECT 3\0x'))).toBe(false);
  });

  it('knows 3 states of ReadyForQuery', () => {
    expect(['I', 'T', 'E', 'X', ''].map((state) => check(ready(state)))).toEqual([true, true, true, false, false]);
  });

  it('refuses a COPY start that announces 1 column and holds bytes behind it', () => {
    const start = Buffer.concat([Buffer.from([0]), u16(1), u16(0)]);
    expect(check(message('H', start))).toBe(true);
    expect(check(message('G', start))).toBe(true);
    expect(check(message('H', Buffer.concat([start, Buffer.from('x')])))).toBe(false);
  });

  it('refuses parameters and notifications with 1 B behind their end', () => {
    const status = Buffer.concat([cstring('TimeZone'), cstring('UTC')]);
    const notification = Buffer.concat([i32(1), cstring('channel'), cstring('payload')]);
    expect([message('S', status), message('A', notification)].map(check)).toEqual([true, true]);
    const behind = [message('S', Buffer.concat([status, u16(1)])), message('A', Buffer.concat([notification, u16(1)]))];
    expect(behind.map(check)).toEqual([false, false]);
  });
});

describe('fields of an error', () => {
  const masker = {
    mayMatch: () => true,
    maskValue: () => undefined,
    maskJson: () => undefined,
    maskText: (text: string) => text.replace('jane.roe@example.com', '[email]'),
  };
  const masked = (fields: readonly string[]): string | undefined => {
    const body = Buffer.concat([...fields.map(cstring), Buffer.from([0])]);
    const report = maskReport(message('E', body), masker, false, new Map());
    return report === undefined ? undefined : Buffer.from(report.bytes).toString();
  };

  it.each(['M', 'D', 'H', 'W', 'q', 's', 't', 'c', 'd', 'n', 'S', 'F', 'R', 'Z'])('masks field %s', (letter) => {
    expect(masked(['SERROR', 'C23505', `${letter}jane.roe@example.com`])).toMatch(/\[email\]/);
    expect(masked(['SERROR', 'C23505', `${letter}jane.roe@example.com`])).not.toMatch(/jane/);
  });

  it.each(['Cjane.roe@example.com', 'C2350', 'Pjane.roe@example.com', 'p4111111111111111', 'L1x'])(
    'refuses %s',
    (field) => {
      expect(masked(['SERROR', 'Mx', field])).toBeUndefined();
    },
  );

  it('refuses an error with 1 B behind its end', () => {
    const whole = serverError('23505', 'x');
    const longer = message('E', Buffer.concat([whole.subarray(5), Buffer.from('y')]));
    expect(maskReport(longer, masker, false, new Map())).toBeUndefined();
  });
});
