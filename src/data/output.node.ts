// Files that are written beside their place and moved there when they are whole, so that none is ever half written, and no input is replaced.
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { mkdir, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { besideTarget, cleanAtExit, removeLeftovers, removeNow } from "#convert/package/half-written.node.ts";

export interface OutputOptions {
  /** Replaces a file that is there. */
  readonly force: boolean;
  /** Whole paths that must not be written over. */
  readonly inputs: readonly string[];
}

interface OutputFile {
  readonly path: string;
  write(text: string): void;
  /** Moves the file to its place. */
  finish(): Promise<void>;
  /** Forgets it; after `finish`, nothing. */
  drop(): void;
}

/** Throws a sentence where the place is taken or is an input, before anything is written. */
export async function openOutput(path: string, options: OutputOptions): Promise<OutputFile> {
  await checkPlace(path, options);
  const target = resolve(path);
  await mkdir(dirname(target), { recursive: true }).catch(cannotWrite(path));
  await removeLeftovers(target);
  const temporary = besideTarget(target, "new");
  const file = opened(temporary, path);
  const kept = cleanAtExit(() => removeNow(temporary));
  let pending = "";
  let isOpen = true;
  const flush = (): void => {
    writeAll(file, pending, path);
    pending = "";
  };
  const close = (): void => {
    if (isOpen) closeSync(file);
    isOpen = false;
  };
  return {
    path,
    write(text) {
      pending += text;
      if (pending.length > 2 ** 20) flush();
    },
    async finish() {
      flush();
      fsyncSync(file);
      close();
      await rename(temporary, target).catch(cannotWrite(path));
      kept();
    },
    drop() {
      if (!isOpen) return;
      close();
      removeNow(temporary);
      kept();
    },
  };
}

async function checkPlace(path: string, { force, inputs }: OutputOptions): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return;
  const real = await realpath(path);
  for (const input of inputs)
    if ((await realpath(input).catch(() => input)) === real)
      throw new Error(`${path} is one of the inputs, and an input is never written over; give another name`);
  if (found.isDirectory()) throw new Error(`${path} is a folder; give the name of a file in it`);
  if (!force) throw new Error(`${path} is there already; give another name, or --force to replace it`);
}

function opened(temporary: string, path: string): number {
  try {
    return openSync(temporary, "wx");
  } catch (error) {
    throw cannot(path, error);
  }
}

function writeAll(file: number, text: string, path: string): void {
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  } catch (error) {
    throw cannot(path, error);
  }
}

const cannot = (path: string, cause: unknown): Error =>
  new Error(`${path} can't be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });

function cannotWrite(path: string): (cause: unknown) => never {
  return (cause) => {
    throw cannot(path, cause);
  };
}

/** A file with one text. */
export async function writeText(path: string, text: string, options: OutputOptions): Promise<void> {
  const file = await openOutput(path, options);
  try {
    file.write(text);
    await file.finish();
  } finally {
    file.drop();
  }
}

/** A JSON list with a value per line, or lines of JSON where the name ends in .jsonl. */
export interface RecordFile {
  readonly path: string;
  readonly count: number;
  add(value: unknown): void;
  finish(): Promise<void>;
  drop(): void;
}

export async function openRecords(path: string, options: OutputOptions): Promise<RecordFile> {
  // Another ending is a slip, such as the name of a picture.
  if (!/\.(?:json|jsonl|ndjson)$/i.test(path))
    throw new Error(`${path} must end in .json (one list) or .jsonl (a line for each conversation)`);
  const file = await openOutput(path, options);
  const areLines = /\.(?:jsonl|ndjson)$/i.test(path);
  let count = 0;
  return {
    path,
    get count() {
      return count;
    },
    add(value) {
      const text = JSON.stringify(value);
      file.write(areLines ? `${text}\n` : `${count === 0 ? "[" : ","}\n${text}`);
      count++;
    },
    async finish() {
      if (!areLines) file.write(count === 0 ? "[]\n" : "\n]\n");
      await file.finish();
    },
    drop: () => file.drop(),
  };
}

/** Whether something is at the path. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Removes files that were written for a result that never came. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true });
}
