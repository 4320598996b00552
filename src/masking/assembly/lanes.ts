/** Sixteen bytes at once: for each, all bits where it is of a class, none where it is not. */

/** ASCII letters and digits. */
export function alphanumerics(bytes: v128): v128 {
  const digit = i8x16.le_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(9));
  const lower = v128.or(bytes, i8x16.splat(0x20));
  return v128.or(digit, i8x16.le_u(i8x16.sub(lower, i8x16.splat(0x61)), i8x16.splat(25)));
}

/** Of what may stand in a local part, what nearly always does: letters, digits and `-`, `.`, `_`, `+`. */
export function localSigns(bytes: v128): v128 {
  const signs = v128.or(i8x16.eq(bytes, i8x16.splat(0x5f)), i8x16.eq(bytes, i8x16.splat(0x2b)));
  return v128.or(domainSigns(bytes), signs);
}

/** Letters, digits and `-`, `.`. */
export function domainSigns(bytes: v128): v128 {
  return v128.or(alphanumerics(bytes), i8x16.le_u(i8x16.sub(bytes, i8x16.splat(0x2d)), i8x16.splat(1)));
}
