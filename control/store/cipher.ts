// Payloads, header values and kept answers at rest: as they are, or under AES-256-GCM where a data key is given.

import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

export interface Cipher {
  /** `place` is bound in: bytes moved to another row do not open. */
  close(bytes: Uint8Array, place: string): Uint8Array;
  /** Throws when the bytes were not closed for this place with this key. */
  open(bytes: Uint8Array, place: string): Uint8Array;
}

export const plain: Cipher = { close: (bytes) => bytes, open: (bytes) => bytes };

/** Layout: 12-byte random nonce, 16-byte tag, ciphertext. Random nonces are safe for 2^32 writes under one key. */
export function sealedWith(key: KeyObject): Cipher {
  return {
    close: (bytes, place) => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
      const text = Buffer.concat([cipher.update(bytes), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]);
    },
    open: (bytes, place) => {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(place));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
    },
  };
}
