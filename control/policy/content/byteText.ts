// Text out of single bytes: UTF-8 where they are that, else each byte as the character of its number.

export class ByteText {
  #pending: number[] = [];
  #needed = 0;

  /** What the byte completes; the empty string while a character is under way. */
  add(byte: number): string {
    if (this.#needed > 0) {
      if ((byte & 0xc0) !== 0x80) return this.end() + this.add(byte);
      this.#pending.push(byte);
      return this.#pending.length === this.#needed ? this.#character() : '';
    }
    if (byte < 0x80) return String.fromCharCode(byte);
    this.#needed =
      byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc0 && byte < 0xe0 ? 2 : 0;
    if (this.#needed === 0) return String.fromCharCode(byte);
    this.#pending.push(byte);
    return '';
  }

  /** A character that was begun and not completed, byte by byte. */
  end(): string {
    if (this.#needed === 0) return '';
    const text = String.fromCharCode(...this.#pending);
    this.#pending = [];
    this.#needed = 0;
    return text;
  }

  /** Over-long forms are read as what they stand for: a careless reader downstream does the same. */
  #character(): string {
    const [first = 0, ...others] = this.#pending;
    const code = others.reduce((sum, byte) => (sum << 6) | (byte & 0x3f), first & (0xff >> (this.#needed + 1)));
    this.#pending = [];
    this.#needed = 0;
    return code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
  }
}
