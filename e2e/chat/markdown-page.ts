// Not the app: shows a growing answer as the page does, so that a test can watch which elements stay and how long it takes.
import { h, render } from "preact";
import { Markdown } from "#ui/markdown/Markdown.tsx";
import "#ui/app/styles.ts";

const show = (text: string): void => render(h(Markdown, { text, class: "answer" }), document.body);
show("");
Object.assign(globalThis, { show, answer: document.querySelector(".answer") });
