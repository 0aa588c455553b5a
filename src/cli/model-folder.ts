// The model package that --model names: a folder, or the id of a model that comes with this repository.
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { models } from "#zoo/models.ts";
import { givenPath } from "./given-path.ts";

/** A folder as given, or the folder of a model of the zoo. */
export async function modelFolder(model: string): Promise<string> {
  const record = models.find(({ id }) => id === model);
  const folder = record ? fileURLToPath(new URL(`../../public/${record.path}`, import.meta.url)) : model;
  const path = await givenPath(folder);
  if (path !== undefined && (await stat(path)).isDirectory()) return path;
  const known = models.map(({ id }) => id).join(", ");
  const next = /^[\w.-]+\/[\w.-]+$/.test(model)
    ? "Nothing is downloaded by itself: download the checkpoint, then make a package of it with `llava convert`."
    : `Give the folder of one, or an id: ${known}.`;
  throw new Error(`There is no model package at ${folder}. ${next}`);
}
