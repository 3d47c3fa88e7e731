import { SessionDataError } from '../errors/session-data-error.ts';
import { packTexts, unpackBytes, unpackTexts } from './packed-texts.ts';
import type { EncryptionContext, RecordEncryption } from './record-encryption.ts';
import type { RecordHeader } from './record-header.ts';
import type { SessionFields } from './session-fields.ts';

/** Packs fields; encrypts them where keys are given. */
export function packBody(
  encryption: RecordEncryption | undefined,
  owner: EncryptionContext,
  fields: SessionFields,
): Buffer {
  const texts: string[] = [];
  for (const [name, json] of fields) texts.push(name, json);
  const packed = packTexts(texts);
  return encryption ? packTexts([encryption.encrypt(owner, packed)]) : packed;
}

/** Reads the fields of a record.
 *  @throws SessionDataError where they cannot be decrypted or parsed, or are plain and this store accepts only
 *  encrypted ones. */
export function readBody(
  encryption: RecordEncryption | undefined,
  session: string,
  record: Buffer,
  header: RecordHeader,
): SessionFields {
  if (header.encrypted && !encryption) {
    throw new SessionDataError(`The data of session ${session} are encrypted: give the keys (encryption.keys).`);
  }
  if (!header.encrypted && encryption && !encryption.acceptsPlain) {
    throw new SessionDataError(
      `The data of session ${session} are not encrypted, and only such as are can be trusted here. If they are from before encryption was switched on, set encryption.acceptPlain until those sessions have ended.`,
    );
  }
  const fields: SessionFields = new Map();
  const texts = readable(session, () => {
    if (!header.encrypted) return unpackTexts(record, header.length);
    const [sealed = Buffer.alloc(0)] = unpackBytes(record, header.length);
    return unpackTexts(encryption!.decrypt({ ...header, session }, sealed));
  });
  for (let i = 0; i + 1 < texts.length; i += 2) fields.set(texts[i]!, texts[i + 1]!);
  return fields;
}

/** Runs `read`, which parses a session's bytes.
 *  @throws SessionDataError in place of its RangeError. */
export function readable<Read>(session: string, read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SessionDataError(
      `The data of session ${session} cannot be read: ${error.message} They were left as they are.`,
      { cause: error },
    );
  }
}
