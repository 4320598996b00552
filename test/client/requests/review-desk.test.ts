import { describe, expect, it } from 'vitest';
import { byUrgency } from '../../../src/client/requests/review-desk.js';

describe('the requests of a reviewer', () => {
  it('stand oldest first, and those that hold nobody any more behind all that do', () => {
    const looks = [
      { id: '2', breakGlass: true },
      { id: '1', breakGlass: true },
    ];
    expect([...looks, { id: '4' }, { id: '3' }].sort(byUrgency).map(({ id }) => id)).toEqual(['3', '4', '1', '2']);
  });
});
