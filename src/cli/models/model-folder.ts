// The model package that --model names: a folder, the id of a model that comes with this repository, or a model of a hub.
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { models } from "#zoo/models.ts";
import { givenPath } from "#cli/terminal/given-path.ts";
import { hubPackage } from "./hub-package.ts";
import { isHubId } from "./hub-place.ts";

/** A folder as given, the folder of a model of the zoo, or that of a model of a hub, which is made where it is not there. */
export async function modelFolder(model: string, revision?: string): Promise<string> {
  if (await isHubId(model)) return hubPackage(model, revision);
  const record = models.find(({ id }) => id === model);
  const folder = record ? fileURLToPath(new URL(`../../../public/${record.path}`, import.meta.url)) : model;
  const path = await givenPath(folder);
  if (path !== undefined && (await stat(path)).isDirectory()) return path;
  const known = models.map(({ id }) => id).join(", ");
  throw new Error(
    `There is no model package at ${folder}. Give the folder of one, owner/name on huggingface.co, or an id: ${known}.`,
  );
}
