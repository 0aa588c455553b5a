import { expect, test } from "vitest";
import type { Message } from "#engine/types.ts";
import { expandMarks, templateChat, templateStyle } from "./prompt.ts";

const picture = new Blob(["p"]);
const messages: readonly Message[] = [
  { role: "system", parts: [{ type: "text", text: "Be brief." }] },
  {
    role: "user",
    parts: [
      { type: "image", blob: picture },
      { type: "text", text: "What?" },
    ],
  },
  { role: "assistant", parts: [{ type: "text", text: "A ca" }] },
];

test("a template that asks for a part's type takes lists, one that prints the content takes text", () => {
  expect(templateStyle("{% for line in message['content'] %}{% if line['type'] == 'text' %}")).toBe("parts");
  expect(templateStyle("{% if content.type == 'image' %}")).toBe("parts");
  expect(templateStyle("{% if message.content is string %}")).toBe("parts");
  expect(templateStyle("{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>'}}")).toBe(
    "text",
  );
});

test("the answer that goes on is no message, and pictures come in the order of their marks", () => {
  expect(templateChat(messages, "text", "<image>")).toEqual({
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "<image>\nWhat?" },
    ],
    answerSoFar: "A ca",
    pictures: [picture],
  });
  expect(templateChat(messages.slice(0, 2), "parts", "<image>").messages[1]?.content).toEqual([
    { type: "image" },
    { type: "text", text: "What?" },
  ]);
});

test("each mark becomes as many as its picture has rows, and a lost mark is noticed", () => {
  expect(expandMarks("a<i>b<i>", "<i>", [2, 3])).toBe("a<i><i>b<i><i><i>");
  expect(expandMarks("a<i>", "<i>", [2, 3])).toBeUndefined();
});
