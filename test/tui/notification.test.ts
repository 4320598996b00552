import { expect, it } from 'vitest';
import { notificationFor } from '../../src/tui/notification.js';

it('speaks to each terminal in what it shows a notification for, else rings the bell', () => {
  const of = (env: Record<string, string>) => notificationFor('hoop', 'ann waits', env);
  expect(of({ TERM_PROGRAM: 'WezTerm' })).toBe('\u001b]9;hoop: ann waits\u0007');
  expect(of({ TERM: 'xterm-kitty' })).toBe('\u001b]9;hoop: ann waits\u0007');
  expect(of({ TERM: 'foot' })).toBe('\u001b]777;notify;hoop;ann waits\u0007');
  expect(of({ TERM: 'xterm-256color' })).toBe('\u0007');
  expect(of({ TERM: 'foot', TMUX: '/tmp/tmux' })).toBe('\u0007');
});

it('lets no text end the sequence or begin another', () => {
  expect(notificationFor('a;b', 'x\u0007\u001b]52;c;aGk=\u0007', { TERM: 'foot' })).toBe(
    '\u001b]777;notify;a,b;x\\x07\\x1b]52,c,aGk=\\x07\u0007',
  );
});
