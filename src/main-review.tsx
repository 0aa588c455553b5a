// The entry of /review/, the page that shows answers side by side. It reads the chat's preferences and votes, and stores nothing.
import { render } from "preact";
import { exportVotes } from "#chat/conversation/vote.ts";
import { readVotes } from "#chat/persistence/votes.ts";
import { readPreferences } from "#chat/preferences.ts";
import { Review } from "#ui/review/Review.tsx";
import { reviewLanguages } from "#ui/review/review-texts.ts";
import { pickLanguage } from "#ui/texts/language.ts";
import "#ui/styles/tokens.css";
import "#ui/styles/base.css";
import "#ui/parts/logo.css";
import "#ui/frame/frame.css";
import "#ui/review/review.css";

const root = document.getElementById("app");
if (root === null) throw new Error("the page is incomplete");

// A function, because reading `localStorage` itself throws where a browser stores nothing.
const storage = (): Storage => localStorage;
const { theme, language: chosen } = readPreferences(storage);
const language = pickLanguage([...(chosen === undefined ? [] : [chosen]), ...navigator.languages]);
const texts = reviewLanguages[language];
document.documentElement.lang = texts.tag;
document.title = `${texts.title} · llava-web`;

const votes = readVotes(storage);
const file = { path: "votes.json", blob: new Blob([exportVotes(votes)]) };
// The chat's comparison leads here with its votes.
const first = new URLSearchParams(location.search).has("votes") && votes.length > 0 ? [file] : [];

render(
  <Review
    theme={theme}
    texts={texts}
    ownVotes={votes.length === 0 ? undefined : { file, count: votes.length }}
    first={first}
  />,
  root,
);
