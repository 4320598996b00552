/** The page for whoever gets a bundle: what is in it, and how to check it with and without hoop. */
export function bundleReadme(about: {
  readonly from: string;
  readonly to: string;
  readonly createdAt: string;
  readonly keyId: string;
}): string {
  const { from, to, createdAt, keyId } = about;
  return `EVIDENCE OF A HOOP AGENT

Sessions that started from ${from} until before ${to},
written ${createdAt}, signed with the recording key ${keyId}.

FIRST: IS THE KEY THE RIGHT ONE?
  keys/${keyId}.pem came with this bundle, so by itself it proves nothing. Compare it with
  the key that whoever runs the agent gave you by another way, or that the agent shows:
    curl https://AGENT/.well-known/hoop          (recordingKeys)
  The name of the key is the first 16 hex digits of the SHA-256 of its DER form:
    openssl pkey -pubin -in keys/${keyId}.pem -outform DER | sha256sum

WITH HOOP
    hoop verify .                                (asks the agent for its key)
    hoop verify . --key KEY.pem                  (asks nobody)

WITHOUT HOOP (OpenSSL 3, GNU coreutils, jq)
  1. The list of all files was signed by the agent:
       openssl pkeyutl -verify -pubin -inkey keys/${keyId}.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
  2. Every file is the one that was listed:
       sha256sum --check --strict SHA256SUMS
  3. Each recording is a chain. Every line is canonical JSON (RFC 8785); "hash" is the SHA-256 of the line without
     its "hash" member, "prev" the "hash" of the line before, 64 zeros in the first, "seq" counts from 1. One line:
       line='{...}'
       printf %s "$line" | sed 's/,"hash":"[0-9a-f]\\{64\\}"//' | sha256sum      (equals its "hash")
     (The first ,"hash":" of a line is always its own: what a client wrote is within quotes and escaped.)
  4. The last line is the seal: an Ed25519 signature over the 64 characters of its own "prev":
       tail -n 1 FILE | jq -j .prev > prev; tail -n 1 FILE | jq -r .signature | base64 -d > sig
       openssl pkeyutl -verify -pubin -inkey keys/${keyId}.pem -rawin -in prev -sigfile sig

WHAT IS IN IT
  bundle.json          the span, counts, sessions that were still live, policies that were not kept
  sessions.ndjson      every session of the span, as the agent's index has it
  recordings/DAY/      one file a session; "checkpoint" and "checkpoint.N" list what was sealed that day, signed;
                       "tombstone" says, signed, what was removed when its retention was over
  decisions.ndjson     every decision of these sessions, taken from the recordings for reading: the recordings prove
  approvals.ndjson     requests for approval of the span: who asked, who voted, what was decided and why
  policies/HASH.json   the policies in force; HASH is the SHA-256 of the file, and "policyHash" of a decision
  readings.ndjson      who read which recording in the span, and exported this bundle
  keys/                the public key
  SHA256SUMS, .sig     the list of all other files, and the agent's signature over it

WHAT IT DOES NOT PROVE
  That the agent's machine itself was honest when it wrote. That no session of a day is missing which is in the span
  only in part: of whole days the checkpoints say what was sealed.
`;
}
