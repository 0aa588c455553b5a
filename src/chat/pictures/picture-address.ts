// Addresses of pictures: the name of a picture from there, and the bytes that a `data:` address holds. Fetches nothing.

/** Longer names are cut. */
const longestName = 120;

/** The last part of the path, else the host; never throws. Invalid escapes stay as they are written. */
export function nameOfAddress(address: string): string {
  const url = URL.parse(address);
  if (url === null) return cut(address);
  if (url.protocol === "data:") return "picture";
  const last = url.pathname.split("/").findLast((part) => part !== "");
  return cut(last === undefined ? url.hostname || address : decodeEscapes(last));
}

function decodeEscapes(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function cut(name: string): string {
  return name.length <= longestName ? name : `${name.slice(0, longestName - 1)}…`;
}

/** The bytes that a `data:` address holds; undefined for any other address, and for one that is broken. */
export function readDataAddress(address: string): Blob | undefined {
  const found = /^data:([^,;]*)((?:;[^,;]*)*),/i.exec(address);
  if (found === null) return undefined;
  const body = decodeEscapes(address.slice(found[0].length));
  try {
    const bytes = /;base64$/i.test(found[2]?.trim() ?? "")
      ? Uint8Array.from(atob(body.replace(/\s/g, "")), (character) => character.charCodeAt(0))
      : new TextEncoder().encode(body);
    return new Blob([bytes], { type: found[1] ?? "" });
  } catch {
    return undefined;
  }
}
