// What ws takes for `bufferutil` in the bundle: the same two functions, whose native code is looked for when the first
// message of some length is masked. ws itself looks for it when it is loaded, which costs a short command more than
// all that it sends.
let functions;

function found() {
  if (functions === undefined) {
    try {
      functions = require('bufferutil');
    } catch {
      functions = { mask: maskSlowly, unmask: unmaskSlowly };
    }
  }
  return functions;
}

// An optional package: https://www.rfc-editor.org/rfc/rfc6455.html#section-5.3 in its own words where it is not installed.
function maskSlowly(source, mask, output, offset, length) {
  for (let index = 0; index < length; index += 1) output[offset + index] = source[index] ^ mask[index & 3];
}

function unmaskSlowly(buffer, mask) {
  for (let index = 0; index < buffer.length; index += 1) buffer[index] ^= mask[index & 3];
}

exports.mask = (source, mask, output, offset, length) => {
  found().mask(source, mask, output, offset, length);
};
exports.unmask = (buffer, mask) => {
  found().unmask(buffer, mask);
};
