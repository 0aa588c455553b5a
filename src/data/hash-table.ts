// Numbers under 64-bit hashes, sixteen bytes each: what is remembered of data with millions of conversations. Knows no conversation.

/** The first eight bytes of the text's SHA-256, big-endian. */
export type Hash = (text: string) => bigint;

/** Open addressing over two typed arrays; twice as large whenever it is half full. */
export class HashTable {
  size = 0;
  private keys = new BigUint64Array(1024);
  private values = new Float64Array(1024);

  get(hash: bigint): number | undefined {
    const at = this.slotOf(hash);
    return this.keys[at] === 0n ? undefined : this.values[at];
  }

  set(hash: bigint, value: number): void {
    const at = this.slotOf(hash);
    const isNew = this.keys[at] === 0n;
    this.keys[at] = keyOf(hash);
    this.values[at] = value;
    if (isNew && ++this.size * 2 > this.keys.length) this.grow();
  }

  private slotOf(hash: bigint): number {
    const key = keyOf(hash);
    const mask = this.keys.length - 1;
    let at = Number((key ^ (key >> 32n)) & 0xffff_ffffn) & mask;
    while (this.keys[at] !== 0n && this.keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  private grow(): void {
    const { keys, values } = this;
    this.keys = new BigUint64Array(keys.length * 2);
    this.values = new Float64Array(keys.length * 2);
    for (const [at, key] of keys.entries()) {
      if (key === 0n) continue;
      const slot = this.slotOf(key);
      this.keys[slot] = key;
      this.values[slot] = values[at] ?? 0;
    }
  }
}

/** Zero marks a free slot. */
const keyOf = (hash: bigint): bigint => (hash === 0n ? 1n : hash);
