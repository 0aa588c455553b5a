// Three questions about pictures, and the words that a right answer has: what a model is asked that was just brought from a hub.
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";

interface Check {
  readonly picture: string;
  readonly question: string;
  readonly words: RegExp;
  readonly read: () => Promise<Uint8Array<ArrayBuffer>>;
}

const drawn = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><rect width="400" height="300" fill="#fff"/>
<circle cx="200" cy="150" r="100" fill="#d22"/></svg>`;
const example = (name: string): Pick<Check, "picture" | "read"> => ({
  picture: name,
  read: async () => new Uint8Array(await readFile(`public/examples/${name}`)),
});

const checks: readonly Check[] = [
  { ...example("pets.png"), question: "What animals are in the picture?", words: /cat|kitten/i },
  { ...example("sign.png"), question: "What word is written in the picture?", words: /hello/i },
  {
    picture: "a red circle",
    question: "What colour is the circle?",
    words: /red/i,
    read: async () => new Uint8Array(await sharp(Buffer.from(drawn)).png().toBuffer()),
  },
];

const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

/** Whether every answer has its words; `say` gets a line for each. */
export async function askThreePictures(
  generate: (request: GenerateRequest) => AsyncIterable<GenerateEvent>,
  say: (line: string) => void,
): Promise<boolean> {
  let right = 0;
  for (const { picture, question, words, read } of checks) {
    const parts = [
      { type: "image", blob: new Blob([await read()]) },
      { type: "text", text: question },
    ] as const;
    let text = "";
    let done: Extract<GenerateEvent, { type: "done" }> | undefined;
    const request = { messages: [{ role: "user", parts }], sampling: greedy, maxNewTokens: 64, stop: [] } as const;
    for await (const event of generate(request)) {
      if (event.type === "text") text += event.text;
      if (event.type === "done") done = event;
    }
    if (done === undefined) throw new EngineError("internal", "the answer has no end");
    const passed = words.test(text);
    if (passed) right++;
    const { timings, usage } = done;
    const rate = ((usage.newTokens - 1) / Math.max(1e-3, timings.decodeMs / 1000)).toFixed(1);
    const first = (timings.firstTokenMs / 1000).toFixed(1);
    say(
      `${passed ? "right" : "WRONG"}  ${picture}: ${question} → ${text.trim()}  (first token after ${first} s, ${rate} tokens/s)`,
    );
  }
  say(`${right} of ${checks.length} right`);
  return right === checks.length;
}
