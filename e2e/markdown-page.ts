// Not the app: shows a growing answer as the page does, so that a test can watch which elements stay.
import { h, render } from "preact";
import { Markdown } from "#ui/Markdown.tsx";

const answer = document.createElement("div");
document.body.append(answer);
const show = (text: string): void => render(h(Markdown, { text }), answer);
Object.assign(globalThis, { show, answer });
