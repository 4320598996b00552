import { describe, expect, it } from 'vitest';
import { databaseFor } from '../../src/connections/database.js';

const connection = { name: 'postgres', database: 'shop', databases: ['shop_*', 'exact'] };

describe('the database a client gets', () => {
  it.each([
    ['the default by name', 'shop', 'shop'],
    ['one covered by a pattern', 'shop_eu', 'shop_eu'],
    ['one named whole', 'exact', 'exact'],
    ['none named', undefined, 'shop'],
    ['an empty name', '', 'shop'],
    ['the connection’s name', 'postgres', 'shop'],
    ['the start-up user’s own name', 'ann', 'shop'],
  ])('for %s', (_why, asked, database) => {
    expect(databaseFor(connection, asked, 'ann')).toEqual({ database });
  });

  it.each(['template1', 'SHOP', 'shop ', 'shopx', 'exact2', 'xshop_eu', 'bob'])('is refused for %s', (asked) => {
    expect(databaseFor(connection, asked, 'ann')).toEqual({
      fault: { code: 'no_access', message: 'the connection has no database of that name' },
    });
  });

  it('is the one asked where a pattern covers the user’s own name', () => {
    expect(databaseFor({ ...connection, databases: ['*'] }, 'ann', 'ann')).toEqual({ database: 'ann' });
  });
});
