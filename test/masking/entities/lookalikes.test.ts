import { describe, expect, it } from 'vitest';
import { masked, maskerOf, STANDARD } from '../support.js';

/** Values that only look like personal data; each must come through byte-identical. */
const LOOKALIKES = [
  '550e8400-e29b-41d4-a716-446655440000',
  '018f3b1e-7c4a-7def-8123-456789abcdef',
  '2024-01-15',
  '2024-01-15T12:30:45.123Z',
  '2024-01-15 12:30:45.123456+00',
  'Mon, 15 Jan 2024 12:30:45 GMT',
  '12:30:45',
  '3.141592653589793',
  '-122.4194155',
  '6.02214076e+23',
  '1.0000000000000001e-10',
  '1.2.3-beta.4+build.567',
  '18.20.4',
  '10.0.19041.1',
  'd41d8cd98f00b204e9800998ecf8427e',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'sha512-4eC39HqLyjWDarjtT1zdp7dc==',
  '@Component({selector: "app"})',
  'ORD-4111111111111112',
  '1234-5678-9012-3456',
  '114-3941689-8772232',
  '9780306406157',
  '1700000000',
  '1700000000000',
  '1700000000123456',
  '1700000000123456789',
  '192.168.1.10',
  '00:1a:2b:3c:4d:5e',
  '\\x4111111111111111deadbeef',
  '{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}',
  '(1,2),(3,4)',
  'SELECT a.b FROM c WHERE d = $1',
  '',
  ' ',
  'null',
];

describe('lookalikes', () => {
  it.each(LOOKALIKES)('the standard set leaves %s', (value) => {
    expect(masked(maskerOf(STANDARD), value)).toBe('unchanged');
  });
});
