import { crc32 } from 'node:zlib';

/** Half a surrogate pair: not Unicode, but a JavaScript string may hold it. */
const LONE_SURROGATE = /\p{Cs}/gu;
/** What such a half is when SQLite gives it back. */
const AS_READ = '\ufffd\ufffd\ufffd';

/**
 * CRC-32 over a row's fields and bytes, each with its length, so that no two rows read alike. Finds what SQLite does not see:
 * a flipped bit inside a page passes `integrity_check`. Text counts as SQLite will give it back.
 */
export function checksumOf(fields: readonly (string | number | null)[], ...bytes: readonly Uint8Array[]): number {
  let text = '';
  for (const field of fields) {
    if (field === null) text += 'n;';
    else if (typeof field === 'number') text += `${field};`;
    else {
      const read = field.search(LONE_SURROGATE) === -1 ? field : field.replace(LONE_SURROGATE, AS_READ);
      text += `${read.length}:${read}`;
    }
  }
  for (const part of bytes) text += `${part.length};`;
  let sum = crc32(text);
  for (const part of bytes) {
    // zlib takes no bytes at all (a null pointer) for the wish to start over.
    if (part.length > 0) sum = crc32(part, sum);
  }
  return sum;
}
