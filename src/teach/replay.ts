// The replay set as it is stored: public/teach/replay.json and the pictures that it names. A host brings the files.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import type { ReplaySet } from "./run-teaching.ts";

const replayIndex = "replay.json";

const Schema = v.object({
  pictures: v.array(v.object({ picture: v.string(), questions: v.array(v.string()) })),
  talk: v.array(v.string()),
});

/** Reads the set; `read` gives a file of the folder by its path there. */
export async function readReplay(read: (path: string) => Promise<Blob>): Promise<ReplaySet> {
  const parsed = v.safeParse(Schema, JSON.parse(await (await read(replayIndex)).text()));
  if (!parsed.success) throw new EngineError("internal", `${replayIndex}: ${parsed.issues[0].message}`);
  const { pictures, talk } = parsed.output;
  return {
    talk,
    pictures: await Promise.all(
      pictures.map(async ({ picture, questions }) => ({ picture: await read(picture), questions })),
    ),
  };
}
