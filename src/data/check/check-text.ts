// A check's report as text for a terminal. Knows no colours.
import type { CheckReport } from "./check.ts";
import type { Finding } from "./findings.ts";

const figure = (value: number): string => value.toLocaleString("en");
const many = (value: number, one: string): string => `${figure(value)} ${one}${value === 1 ? "" : "s"}`;

/** What there is, then what is wrong with it, errors first. */
export function checkText(report: CheckReport): string {
  const { conversations, questions, answers, pictures, differentPictures, withSystem, languages, errors, warnings } =
    report;
  const shown = `${many(pictures, "picture")} shown${pictures === differentPictures ? "" : `, ${figure(differentPictures)} of them different`}`;
  const lines = [
    `${many(conversations, "conversation")}: ${many(questions, "question")}, ${many(answers, "answer")}, ${shown}`,
    `Scripts: ${Object.entries(languages).map(([name, count]) => `${name} ${figure(count)}`).join(", ") || "none"}`, // prettier-ignore
    ...(withSystem === 0 ? [] : [`System prompts: ${figure(withSystem)}`]),
    ...report.systems.map(({ text, count }) => `  ${figure(count)} × ${oneLine(text)}`),
    ...(report.withoutId === 0 ? [] : [`Without an id: ${figure(report.withoutId)}`]),
    "",
    ...report.findings.flatMap(findingLines),
    errors + warnings === 0 ? "Nothing is wrong." : `${many(errors, "error")}, ${many(warnings, "warning")}.`,
  ];
  return `${lines.join("\n")}\n`;
}

function findingLines({ level, title, count, examples }: Finding): string[] {
  const shown = examples.map(
    ({ file, item, line, detail }) =>
      `    ${file}, item ${figure(item)}, line ${figure(line)}${detail === "" ? "" : `: ${oneLine(detail)}`}`,
  );
  return [`${level} × ${figure(count)}: ${title}`, ...shown, ""];
}

const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 130 ? `${line.slice(0, 130)}…` : line;
};
