// Ids for turns, pictures and conversations. Not `crypto.randomUUID`, which browsers leave out on plain HTTP from another machine, where
// the page should still open and say what is missing.

/** 128 random bits, in hex. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
