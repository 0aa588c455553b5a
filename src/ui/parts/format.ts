// Numbers as people read them, in the language of the page.
import type { Texts } from "#ui/texts/texts.ts";

const cache = new Map<string, Intl.NumberFormat>();

/** A number with this many digits after the point. */
export function formatNumber(texts: Texts, value: number, digits = 0): string {
  const key = `${texts.tag}/${digits}`;
  let format = cache.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(texts.tag, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    cache.set(key, format);
  }
  return format.format(value);
}

/** Milliseconds below one second, else seconds. */
export function formatDuration(texts: Texts, ms: number): string {
  if (ms < 999.5) return texts.milliseconds(formatNumber(texts, ms));
  return texts.seconds(formatNumber(texts, ms / 1000, ms < 10_000 ? 1 : 0));
}

/** Tokens per second; one digit after the point where it matters. */
export function formatRate(texts: Texts, rate: number): string {
  return texts.tokensPerSecond(formatNumber(texts, rate, rate < 20 ? 1 : 0));
}

/** "4.1 of 9.8 MB"; decimal megabytes. */
export function formatProgress(texts: Texts, loaded: number, total: number): string {
  return texts.bytesOf(formatNumber(texts, loaded / 1e6, 1), formatNumber(texts, total / 1e6, 1));
}

/** Decimal units, as disks and data plans count. */
export function formatSize(texts: Texts, bytes: number): string {
  if (bytes < 999.5e6) return texts.storage.megabytes(formatNumber(texts, bytes / 1e6, bytes < 99.5e6 ? 1 : 0));
  return texts.storage.gigabytes(formatNumber(texts, bytes / 1e9, 1));
}
