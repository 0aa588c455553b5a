// Not the app: shows a growing answer as the page does, so that a test can watch which elements stay and how long it takes.
import { h, render } from "preact";
import { Markdown } from "#ui/markdown/Markdown.tsx";
import "#ui/app/styles.ts";

const answer = document.createElement("div");
answer.className = "answer";
document.body.append(answer);
const show = (text: string): void => render(h(Markdown, { text }), answer);
Object.assign(globalThis, { show, answer });
