// Files that other people's evaluation tools read or write, several for one benchmark: ScienceQA's two, and MME's, one for each task.
import { count, isAre } from "#eval/files/problems.ts";
import type { AnswerFile } from "#eval/files/answers.ts";
import type { DataFiles } from "#eval/files/data-files.ts";
import { dumps } from "#eval/files/python.ts";
import { keyFor, readLabels } from "#eval/scorers/mme.ts";
import { pair } from "#eval/scorers/pairing.ts";
import { choice, letterOf, options, readProblems } from "#eval/scorers/science-qa.ts";

interface ToolFiles {
  /** Each with what is added to the path that the user gives. */
  readonly files: readonly { readonly suffix: string; readonly text: string }[];
  readonly notes: readonly string[];
}

/** What LLaVA's eval_science_qa.py writes: every answer as it was understood, and the figures with the place of each choice. */
export async function scienceQaFiles(answers: AnswerFile, data: DataFiles): Promise<ToolFiles> {
  const problems = await readProblems(data);
  const { byId, notes } = pair(answers, problems.keys(), "ScienceQA", "counted as wrong");
  const analyses = [...problems].map(([id, problem]) => {
    const { text, prompt } = byId.get(id) ?? { text: "FAILED", prompt: "Unknown" };
    const analysis = {
      question_id: id,
      parsed_ans: letterOf(text) ?? "FAILED",
      ground_truth: options[problem.answer],
      question: prompt,
      pred: text,
      is_multimodal: prompt.includes("<image>"),
    };
    const place = choice(text, problem);
    return { id, analysis, place, right: place === problem.answer };
  });
  const of = (right: boolean) => analyses.filter((one) => one.right === right).map(({ analysis }) => analysis);
  const correct = of(true).length;
  const result = {
    acc: (correct / analyses.length) * 100,
    correct,
    count: analyses.length,
    results: Object.fromEntries(analyses.map(({ id, place }) => [id, place])),
    outputs: Object.fromEntries(analyses.map(({ id, analysis }) => [id, analysis.pred])),
  };
  return {
    files: [
      { suffix: "_output.jsonl", text: dumps({ correct: of(true), incorrect: of(false) }, 2) },
      { suffix: "_result.json", text: dumps(result, 2) },
    ],
    notes,
  };
}

/** What LLaVA's convert_answer_to_mme.py writes for MME's calculation: by task, lines of file, question, right answer and answer. */
export async function mmeFiles(answers: AnswerFile, data: DataFiles): Promise<ToolFiles> {
  const labels = await readLabels(data);
  const tasks = new Map<string, string[]>();
  let unknown = 0;
  for (const answer of answers.answers) {
    const key = keyFor(answer, labels);
    if (key === undefined) {
      unknown++;
      continue;
    }
    const [task = "", file = "", question = ""] = key.split("\t");
    const lines = tasks.get(task) ?? [];
    lines.push(`${[file, question, labels.get(key) ?? "", answer.text].join("\t")}\n`);
    tasks.set(task, lines);
  }
  if (tasks.size === 0)
    throw new Error(
      `${answers.name} answers none of MME's ${count(labels.size, "question")}. Check the benchmark's name, --answers and --data.`,
    );
  const files = [...tasks].map(([task, lines]) => ({ suffix: `/${task}.txt`, text: lines.join("") }));
  const notes = [...answers.notes];
  if (unknown > 0)
    notes.push(`${count(unknown, "answer")} of ${answers.name} ${unknown === 1 ? "has" : "have"} no label in MME's files and ${isAre(unknown)} left out.`); // prettier-ignore
  return { files, notes };
}
